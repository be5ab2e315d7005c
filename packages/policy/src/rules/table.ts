import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../graph/operator-name.js";
import { attentionRules } from "./attention.js";
import { branchRules } from "./branch.js";
import { convolutionRules } from "./convolutions.js";
import { elementwiseRules } from "./elementwise.js";
import { expertRules } from "./experts.js";
import { imageRules } from "./images.js";
import { indexingRules } from "./indexing.js";
import { matmulRules } from "./matmul.js";
import { normalizeRules } from "./normalize.js";
import { quantizeRules } from "./quantize.js";
import { quantizedBlockRules } from "./quantized-blocks.js";
import { recurrenceRules } from "./recurrences.js";
import { reshapeRules } from "./reshape.js";
import { rotaryRules } from "./rotary.js";
import type { Rule } from "./rule.js";
import { segmentRules } from "./segments.js";
import { wholeRules } from "./whole.js";

/**
 * Every operator that the policy understands, by `operator` for the default ONNX domain and `domain::operator` for
 * others. An operator that is not listed runs on whole inputs, and the policy says so.
 */
const rules: ReadonlyMap<string, Rule> = new Map(
  [
    elementwiseRules,
    matmulRules,
    reshapeRules,
    segmentRules,
    indexingRules,
    normalizeRules,
    branchRules,
    quantizedBlockRules,
    attentionRules,
    expertRules,
    rotaryRules,
    convolutionRules,
    imageRules,
    recurrenceRules,
    quantizeRules,
    wholeRules,
  ].flatMap((family) => Object.entries(family)),
);

export function ruleFor(node: GraphNode): Rule | undefined {
  return rules.get(operatorName(node));
}
