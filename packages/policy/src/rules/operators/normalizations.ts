import { intsAttribute } from "@ringrank/model";
import { axisOf, fromFront } from "../../graph/axis.js";
import { broadcast } from "../broadcast.js";
import type { Rule, Rules } from "../rule.js";
import { normalizing } from "./reductions.js";

/** Normalizes over all axes from `axis` on; scale and bias broadcast to the input, right-aligned. */
const layerNorm: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = axisOf(operator.node, -1, input.length);
    for (const dim of input.slice(axis)) factors.whole(dim, "normalized over");
    for (const slot of [1, 2])
      if (operator.inputs[slot] !== undefined) broadcast([input, factors.input(slot)], factors);
    const statistics = input.map((dim, index) => (index < axis ? dim : []));
    return operator.outputs.map((_, index) => (index === 0 ? input : statistics));
  },
};

/** Over the axes in an attribute: by default all except the channels. */
const meanVariance: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    for (const axis of intsAttribute(operator.node, "axes") ?? [0, 2, 3])
      factors.whole(input[fromFront(axis, input.length)]!, "normalized over");
    return [input];
  },
};

/**
 * A norm over the last axis that first adds its inputs: `norm(input + skip + bias)`. Outputs: the result, two
 * statistics, and the sum.
 *
 * @param vectors slots of `[width]` inputs: scale, shift, bias
 */
function skipNorm(vectors: readonly number[]): Rule {
  return {
    propagate(operator, factors) {
      const input = factors.input(0);
      factors.whole(input.at(-1)!, "normalized over");
      broadcast([input, factors.input(1)], factors);
      for (const slot of vectors)
        if (operator.inputs[slot] !== undefined) factors.unify(factors.input(slot)[0]!, input.at(-1)!);
      const statistics = [...input.slice(0, -1), []];
      return operator.outputs.map((_, index) => (index === 1 || index === 2 ? statistics : input));
    },
  };
}

export const normalizationRules: Rules = {
  LayerNormalization: layerNorm,
  RMSNormalization: layerNorm,
  SimplifiedLayerNormalization: layerNorm,
  LpNormalization: normalizing,
  MeanVarianceNormalization: meanVariance,
  "com.microsoft::SimplifiedLayerNormalization": layerNorm,
  "com.microsoft::SkipLayerNormalization": skipNorm([2, 3, 4]),
  "com.microsoft::SkipSimplifiedLayerNormalization": skipNorm([2, 3]),
};
