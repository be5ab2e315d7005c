import type { ShapeRule } from "../node-context.js";
import { attentionRules } from "./attention.js";
import { broadcastingRules } from "./broadcasting.js";
import { convolutionRules } from "./convolutions.js";
import { cuttingRules } from "./cutting.js";
import { elementwiseRules } from "./elementwise.js";
import { expertRules } from "./experts.js";
import { generatorRules } from "./generators.js";
import { imageRules } from "./images.js";
import { indexingRules } from "./indexing.js";
import { matrixProductRules } from "./matrix-products.js";
import { movingRules } from "./moving.js";
import { normalizationRules } from "./normalizations.js";
import { quantizationRules } from "./quantization.js";
import { quantizedBlockRules } from "./quantized-blocks.js";
import { recurrenceRules } from "./recurrences.js";
import { reductionRules } from "./reductions.js";
import { reshapingRules } from "./reshaping.js";

/**
 * Shape rules of all operators except `If`, by {@link operatorKey}. A Map, so that there is no rule for an operator
 * named `constructor`.
 */
export const shapeRules: ReadonlyMap<string, ShapeRule> = new Map(
  [
    attentionRules,
    broadcastingRules,
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
  ].flatMap(Object.entries<ShapeRule>),
);
