import type { ShapeRule } from "./node-context.js";
import { attentionRules } from "./operators/attention.js";
import { broadcastingRules } from "./operators/broadcasting.js";
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

/**
 * Shape rules of all operators except `If`, by their `operatorName`. A Map, so that there is no rule for an
 * operator named `constructor`.
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
