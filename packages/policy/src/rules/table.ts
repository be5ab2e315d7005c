import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../graph/operator-name.js";
import { attentionRules } from "./operators/attention.js";
import { branchRules } from "./operators/branches.js";
import { convolutionRules } from "./operators/convolutions.js";
import { cuttingRules } from "./operators/cutting.js";
import { elementwiseRules } from "./operators/elementwise.js";
import { expertRules } from "./operators/experts.js";
import { generatorRules } from "./operators/generators.js";
import { imageRules } from "./operators/images.js";
import { indexingRules } from "./operators/indexing.js";
import { matrixProductRules } from "./operators/matrix-products.js";
import { movingRules } from "./operators/moving.js";
import { normalizationRules } from "./operators/normalizations.js";
import { quantizationRules } from "./operators/quantization.js";
import { quantizedBlockRules } from "./operators/quantized-blocks.js";
import { recurrenceRules } from "./operators/recurrences.js";
import { reductionRules } from "./operators/reductions.js";
import { reshapingRules } from "./operators/reshaping.js";
import { rotaryRules } from "./operators/rotary.js";
import type { Rule } from "./rule.js";

/**
 * Every operator that the policy understands, by `operator` for the default ONNX domain and `domain::operator` for
 * others. An operator that is not listed runs on whole inputs, and the policy says so.
 */
const rules: ReadonlyMap<string, Rule> = new Map(
  [
    attentionRules,
    branchRules,
    convolutionRules,
    cuttingRules,
    elementwiseRules,
    expertRules,
    generatorRules,
    imageRules,
    indexingRules,
    matrixProductRules,
    movingRules,
    normalizationRules,
    quantizationRules,
    quantizedBlockRules,
    recurrenceRules,
    reductionRules,
    reshapingRules,
    rotaryRules,
  ].flatMap((family) => Object.entries(family)),
);

export function ruleFor(node: GraphNode): Rule | undefined {
  return rules.get(operatorName(node));
}
