import { type GraphNode, int, intAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { isOne, quotient, type SizePair } from "../../shapes/size-pair.js";
import { onShare } from "../on-share.js";
import type { Localization, Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim } from "../whole.js";

const slides = "a window slides along it";

/** Spatial axes of the input stay whole; those of the output have a different size. */
function spatial(operator: Operator, factors: Propagation): Dim[] {
  for (const dim of factors.input(0).slice(2)) factors.whole(dim, slides);
  return operator.outputs[0]!.dims.slice(2).map((size) => wholeDim(size, factors, slides));
}

/**
 * `[batch, group·in, …] → [batch, group·out, …]`: groups and output channels are independent; the input channels of a
 * group are summed over. The bias `[group·out]` counts once. A depthwise convolution has one group per channel.
 *
 * @param kernel the first two axes of the kernel, from a group's dimensions: `[group·out, in]`, or swapped
 */
function convolution(
  kernel: (group: Dim, input: Dim, output: Dim) => readonly [Dim, Dim],
  sizes: (operator: Operator, groups: SizePair) => { readonly input: SizePair; readonly output: SizePair },
): Rule {
  return {
    propagate(operator, factors) {
      const count = intAttribute(operator.node, "group", 1);
      const groups: SizePair = [count, count];
      const perGroup = sizes(operator, groups);
      const [group, input, output] = [groups, perGroup.input, perGroup.output].map(freshDim) as [
        Dim,
        Dim,
        Dim,
      ];
      factors.cut([group]);
      const [batch, channels] = factors.input(0);
      factors.unify(channels!, [...group, ...input]);
      const [first, second, ...window] = factors.input(1);
      const [firstIs, secondIs] = kernel(group, input, output);
      factors.unify(first!, firstIs);
      factors.unify(second!, secondIs);
      for (const dim of window) factors.whole(dim, "the window of a convolution");
      factors.contract(input);
      const out = [...group, ...output];
      // A bias; for integers, a zero point of the image, and one or several of the kernel.
      for (const slot of [2, 3]) {
        const operand = operator.inputs[slot];
        if (operand !== undefined && !operand.dims.every(isOne)) factors.unify(factors.input(slot)[0]!, out);
      }
      return [[batch!, out, ...spatial(operator, factors)]];
    },
    localize: withLocalGroups,
  };
}

function withLocalGroups(operator: Operator, local: Localization): GraphNode[] {
  const [group] = local.cut();
  return [onShare(operator, local, { group: int(local.size(group!)[0]) })];
}

const conv = convolution(
  (group, input, output) => [[...group, ...output], input],
  ({ inputs }, groups) => ({ input: inputs[1]!.dims[1]!, output: quotient(inputs[1]!.dims[0]!, groups)! }),
);

const convTranspose = convolution(
  (group, input, output) => [[...group, ...input], output],
  ({ inputs }, groups) => ({ input: quotient(inputs[1]!.dims[0]!, groups)!, output: inputs[1]!.dims[1]! }),
);

/**
 * Pools each channel of each example independently, over spatial axes. The indices of maxima refer to the whole tensor.
 */
const pool: Rule = {
  propagate(operator, factors) {
    const [batch, channels] = factors.input(0);
    if (operator.outputs[1] !== undefined)
      for (const dim of [batch!, channels!]) factors.whole(dim, "places counted in the whole tensor");
    const out = [batch!, channels!, ...spatial(operator, factors)];
    return operator.outputs.map(() => out);
  },
};

const averagePool: Rule = { ...pool, linearity: { kind: "one", slots: [0] } };

/** Each channel has its own statistics; with `training_mode`, they would be computed from the batch. */
const batchNorm: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const isTraining = intAttribute(operator.node, "training_mode", 0) !== 0;
    if (isTraining) for (const dim of input) factors.whole(dim, "figures of the whole batch");
    const channels = input[1] ?? [];
    for (const slot of [1, 2, 3, 4]) factors.unify(factors.input(slot)[0]!, channels);
    return operator.outputs.map((_, slot) => (slot === 0 ? input : [channels]));
  },
};

/** Normalizes each channel of each example over its spatial axes. */
const instanceNorm: Rule = {
  propagate(_operator, factors) {
    const input = factors.input(0);
    for (const slot of [1, 2]) factors.unify(factors.input(slot)[0]!, input[1]!);
    for (const dim of input.slice(2)) factors.whole(dim, "normalized over");
    return [input];
  },
};

/** Normalizes groups of channels independently. Scale and bias are per channel, or per group before opset 21. */
const groupNorm: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const count = intAttribute(operator.node, "num_groups", 1);
    const groups = freshDim([count, count]);
    const inGroup = freshDim(quotient(sizeOf(input[1]!), [count, count])!);
    factors.cut([groups]);
    for (const dim of [inGroup, ...input.slice(2)]) factors.whole(dim, "normalized over");
    factors.unify(input[1]!, [...groups, ...inGroup]);
    for (const slot of [1, 2]) {
      const byGroup = operator.inputs[slot]!.dims[0]![0] === count;
      factors.unify(factors.input(slot)[0]!, byGroup ? groups : input[1]!);
    }
    return [input];
  },
  localize(operator, local) {
    const [groups] = local.cut();
    if (!local.isSharded(groups!)) return [onShare(operator, local)];
    return [onShare(operator, local, { num_groups: int(local.size(groups!)[0]) })];
  },
};

/** Normalizes over neighbouring channels. */
const localResponseNorm: Rule = {
  propagate(_operator, factors) {
    const input = factors.input(0);
    factors.whole(input[1]!, "normalized over its neighbours");
    return [input];
  },
};

/** Linear in the image, with a bias that counts once. */
const withBias = { linearity: { kind: "one", slots: [0] }, addends: [2] } as const;

export const convolutionRules: Rules = {
  Conv: { ...conv, ...withBias },
  ConvTranspose: { ...convTranspose, ...withBias },
  ConvInteger: conv,
  MaxPool: pool,
  LpPool: pool,
  GlobalMaxPool: pool,
  GlobalLpPool: pool,
  AveragePool: averagePool,
  GlobalAveragePool: averagePool,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  LRN: localResponseNorm,
};
