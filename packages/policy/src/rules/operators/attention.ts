import { type Attribute, int, intAttribute, intsAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf, sumDim } from "../../factors/factor.js";
import { quotient, type SizePair } from "../../shapes/size-pair.js";
import { axesOfOutput, relateAxes } from "../axes.js";
import { onShare } from "../on-share.js";
import type { Localization, Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim, wholeEverything } from "../whole.js";

/**
 * Fused attention. Heads are computed independently, whatever the operator does inside (scores, masks, rotary
 * embeddings, a softmax), so they may be sharded. Nothing else may: scores sum over lanes, and the softmax runs over
 * all positions. Head counts are attributes, so they are rewritten for each rank.
 */

const attends = "attended over";

/** Lanes of a head, which ranks must not split. */
function lanes(size: SizePair, factors: Propagation): Dim {
  return wholeDim(size, factors, "scores sum over the lanes of a head");
}

/** Relates the axes of an input to known dimensions; all others are needed whole. */
function relate(
  slot: number,
  known: Readonly<Record<number, Dim>>,
  operator: Operator,
  factors: Propagation,
): void {
  relateAxes(slot, known, attends, operator, factors);
}

/** The addends of the scores, right-aligned with `[batch, heads, sequence, kept]`. */
function relateScores(slot: number, heads: Dim, operator: Operator, factors: Propagation): void {
  const rank = operator.inputs[slot]?.dims.length ?? 0;
  relate(slot, rank < 3 ? {} : { [rank - 3]: heads }, operator, factors);
}

/** Slots without anything that depends on the head. */
function keepWhole(slots: readonly number[], operator: Operator, factors: Propagation): void {
  for (const slot of slots) relate(slot, {}, operator, factors);
}

/** `[batch, heads, …]` for every rank that an output may have. */
function output(
  operator: Operator,
  slot: number,
  known: Readonly<Record<number, Dim>>,
  factors: Propagation,
): Dim[] {
  return axesOfOutput(slot, known, attends, operator, factors);
}

/** The node with this rank's head counts. `names`: attributes that count the heads of queries and of keys. */
function withLocalHeads(
  operator: Operator,
  local: Localization,
  names: { readonly queries: string; readonly keys?: string },
  others: Readonly<Record<string, Attribute>> = {},
) {
  const [keys, group] = local.cut();
  if (keys === undefined || !local.isSharded([...keys, ...group!])) return [onShare(operator, local)];
  const [keyHeads] = local.size(keys);
  const counts: Record<string, Attribute> = { [names.queries]: int(keyHeads * local.size(group!)[0]) };
  if (names.keys !== undefined) counts[names.keys] = int(keyHeads);
  return [onShare(operator, local, { ...counts, ...others })];
}

/** The second axis of `[batch, sequence, heads·lanes]` or of `[batch, heads, sequence, lanes]`, by rank. */
function joinedOrApart(rank: number, heads: Dim, lane: Dim): Readonly<Record<number, Dim>> {
  return rank === 4 ? { 1: heads, 3: lane } : { 2: [...heads, ...lane] };
}

/**
 * com.microsoft.MultiHeadAttention
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention): keys
 * and values as `[batch, kept, heads·lanes]`, or with heads as an axis. Its CPU kernel does not support the form with 5
 * axes, packed by head.
 */
const multiHeadAttention: Rule = {
  propagate(operator, factors) {
    const { inputs, node } = operator;
    if ([0, 1, 2].some((slot) => inputs[slot] === undefined || inputs[slot].dims.length > 4))
      return wholeEverything(operator, factors, "queries, keys and values packed by head");
    const heads = headsOf(intAttribute(node, "num_heads", 1));
    factors.cut(heads);
    const [keys] = heads;
    const count = sizeOf(keys);
    const perHead = (slot: number): SizePair => {
      const { dims } = inputs[slot]!;
      return dims.length === 4 ? dims[3]! : (quotient(dims[2]!, count) ?? [1, 1]);
    };
    const [lane, valueLane] = [lanes(perHead(0), factors), lanes(perHead(2), factors)];
    for (const [slot, mine] of [lane, lane, valueLane].entries())
      relate(slot, joinedOrApart(inputs[slot]!.dims.length, keys, mine), operator, factors);
    relate(3, { 0: sumDim([lane, lane, valueLane].map((one) => [...keys, ...one])) }, operator, factors);
    relateScores(5, keys, operator, factors);
    relate(6, { 1: keys, 3: lane }, operator, factors);
    relate(7, { 1: keys, 3: valueLane }, operator, factors);
    keepWhole([4, 8, 9], operator, factors);
    return [
      output(operator, 0, { 2: [...keys, ...valueLane] }, factors),
      output(operator, 1, { 1: keys, 3: lane }, factors),
      output(operator, 2, { 1: keys, 3: valueLane }, factors),
      output(operator, 3, { 1: keys }, factors),
    ];
  },
  localize: (operator, local) => withLocalHeads(operator, local, { queries: "num_heads" }),
};

/**
 * com.microsoft.QAttention
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QAttention):
 * com.microsoft.Attention of a quantized input and a quantized weight, with one scale and zero point for the whole
 * weight or for each column.
 */
const quantizedAttention: Rule = {
  propagate(operator, factors) {
    const { inputs, node } = operator;
    const heads = headsOf(intAttribute(node, "num_heads", 1));
    factors.cut(heads);
    const [keys] = heads;
    const width = inputs[1]!.dims[1]![0] / 3 / sizeOf(keys)[0];
    const lane = lanes([width, width], factors);
    const packed = sumDim([lane, lane, lane].map((one) => [...keys, ...one]));
    relate(1, { 1: packed }, operator, factors);
    for (const slot of [2, 4, 7]) relate(slot, { 0: packed }, operator, factors);
    relate(8, { 2: keys, 4: lane }, operator, factors);
    keepWhole([0, 3, 5, 6], operator, factors);
    return [
      output(operator, 0, { 2: [...keys, ...lane] }, factors),
      output(operator, 1, { 2: keys, 4: lane }, factors),
    ];
  },
  localize: (operator, local) => withLocalHeads(operator, local, { queries: "num_heads" }),
};

/** Key and value heads, and the number of query heads that share each (1 by default). */
function headsOf(keys: number, group = 1): [keys: Dim, group: Dim] {
  return [freshDim([keys, keys]), freshDim([group, group])];
}

/**
 * com.microsoft.Attention
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Attention): projects its
 * input with one weight, `[in, heads·lanes + heads·lanes + heads·value lanes]`.
 */
const packedAttention: Rule = {
  propagate(operator, factors) {
    const { inputs, node } = operator;
    const heads = headsOf(intAttribute(node, "num_heads", 1));
    factors.cut(heads);
    const [keys] = heads;
    const third = inputs[1]!.dims[1]![0] / 3;
    const widths = intsAttribute(node, "qkv_hidden_sizes") ?? [third, third, third];
    const [lane, , valueLane] = widths.map((width) => {
      const size = width / sizeOf(keys)[0];
      return lanes([size, size], factors);
    }) as [Dim, Dim, Dim];
    const packed = sumDim([lane, lane, valueLane].map((one) => [...keys, ...one]));
    relate(1, { 1: packed }, operator, factors);
    relate(2, { 0: packed }, operator, factors);
    relate(4, { 2: keys, 4: lane }, operator, factors);
    relateScores(5, keys, operator, factors);
    keepWhole([0, 3, 6], operator, factors);
    return [
      output(operator, 0, { 2: [...keys, ...valueLane] }, factors),
      output(operator, 1, { 2: keys, 4: lane }, factors),
    ];
  },
  localize(operator, local) {
    const sizes = intsAttribute(operator.node, "qkv_hidden_sizes");
    const [keys] = local.cut();
    const [whole, mine] = [sizeOf(keys!)[0], local.size(keys!)[0]];
    const value = sizes?.map((size) => (size / whole) * mine);
    return withLocalHeads(
      operator,
      local,
      { queries: "num_heads" },
      value === undefined ? {} : { qkv_hidden_sizes: { kind: "ints", value } },
    );
  },
};

/**
 * com.microsoft.GroupQueryAttention
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GroupQueryAttention):
 * queries `[batch, sequence, key heads·group·lanes]`, keys and values `[batch, sequence, key heads·lanes]`; or all
 * three concatenated in the first input.
 */
const groupQueryAttention: Rule = {
  propagate(operator, factors) {
    const { inputs, node } = operator;
    // Later versions have the scales of a quantized cache as inputs, which may or may not depend on the head.
    if (inputs.slice(12).some((operand) => operand !== undefined))
      return wholeEverything(operator, factors, "a quantized cache");
    const count = intAttribute(node, "kv_num_heads", 1);
    const heads = headsOf(count, intAttribute(node, "num_heads", 1) / count);
    factors.cut(heads);
    const [keys, group] = heads;
    const queries = [...keys, ...group];
    const isPacked = inputs[1] === undefined;
    const parts = sizeOf(queries)[0] + (isPacked ? 2 * count : 0);
    const lane = lanes(quotient(inputs[0]!.dims[2]!, [parts, parts]) ?? [1, 1], factors);
    const joined = (dim: Dim): Dim => [...dim, ...lane];
    const first = isPacked ? sumDim([queries, keys, keys].map(joined)) : joined(queries);
    relate(0, { 2: first }, operator, factors);
    for (const slot of [1, 2]) relate(slot, { 2: joined(keys) }, operator, factors);
    for (const slot of [3, 4]) relate(slot, { 1: keys, 3: lane }, operator, factors);
    relateScores(10, queries, operator, factors);
    relate(11, { 0: queries }, operator, factors);
    keepWhole([5, 6, 7, 8, 9], operator, factors);
    const present = (slot: number): Dim[] => output(operator, slot, { 1: keys, 3: lane }, factors);
    return [
      output(operator, 0, { 2: joined(queries) }, factors),
      present(1),
      present(2),
      output(operator, 3, { 1: queries }, factors),
    ];
  },
  localize: (operator, local) =>
    withLocalHeads(operator, local, { queries: "num_heads", keys: "kv_num_heads" }),
};

/**
 * Opset 23 (https://onnx.ai/onnx/operators/onnx__Attention.html): heads as an axis, or joined and counted by
 * attributes.
 */
const attention: Rule = {
  propagate(operator, factors) {
    const { inputs, node } = operator;
    const countOf = (slot: number, attribute: string): number =>
      inputs[slot]!.dims.length === 4 ? inputs[slot]!.dims[1]![0] : intAttribute(node, attribute, 1);
    const count = countOf(1, "kv_num_heads");
    const heads = headsOf(count, countOf(0, "q_num_heads") / count);
    factors.cut(heads);
    const [keys, group] = heads;
    const queries = [...keys, ...group];
    const perHead = (slot: number, heads: Dim): SizePair => {
      const { dims } = inputs[slot]!;
      return dims.length === 4 ? dims[3]! : (quotient(dims[2]!, sizeOf(heads)) ?? [1, 1]);
    };
    const lane = lanes(perHead(0, queries), factors);
    const valueLane = lanes(perHead(2, keys), factors);
    const rank = inputs[0]!.dims.length;
    relate(0, joinedOrApart(rank, queries, lane), operator, factors);
    relate(1, joinedOrApart(inputs[1]!.dims.length, keys, lane), operator, factors);
    relate(2, joinedOrApart(inputs[2]!.dims.length, keys, valueLane), operator, factors);
    relateScores(3, queries, operator, factors);
    relate(4, { 1: keys, 3: lane }, operator, factors);
    relate(5, { 1: keys, 3: valueLane }, operator, factors);
    keepWhole([6], operator, factors);
    return [
      output(operator, 0, joinedOrApart(rank, queries, valueLane), factors),
      output(operator, 1, { 1: keys, 3: lane }, factors),
      output(operator, 2, { 1: keys, 3: valueLane }, factors),
      output(operator, 3, { 1: queries }, factors),
    ];
  },
  localize(operator, local) {
    // If heads are an axis, there is no attribute that counts them.
    if (operator.inputs[0]!.dims.length === 4) return [onShare(operator, local)];
    return withLocalHeads(operator, local, { queries: "q_num_heads", keys: "kv_num_heads" });
  },
};

export const attentionRules: Rules = {
  Attention: attention,
  "com.microsoft::Attention": packedAttention,
  "com.microsoft::QAttention": quantizedAttention,
  "com.microsoft::MultiHeadAttention": multiHeadAttention,
  "com.microsoft::GroupQueryAttention": groupQueryAttention,
};
