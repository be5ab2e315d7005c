import { type Attribute, type GraphNode, int, intAttribute, ints, intsAttribute } from "@ringrank/model";
import { type Dim, sizeOf, sumDim } from "../../factors/factor.js";
import { quotient } from "../../shapes/size-pair.js";
import { AttentionAxes } from "../attention-axes.js";
import { onShare } from "../on-share.js";
import type { Localization, Operator, Rule, Rules } from "../rule.js";
import { wholeEverything } from "../whole.js";

/**
 * Fused attention. Heads are computed independently, whatever the operator does inside (scores, masks, rotary
 * embeddings, a softmax), so they may be sharded. Nothing else may: scores sum over lanes, and the softmax runs over
 * all positions. Head counts are attributes, so they are rewritten for each rank.
 */

/** The node with this rank's head counts. `names`: attributes that count the heads of queries and of keys. */
function withLocalHeads(
  operator: Operator,
  local: Localization,
  names: { readonly queries: string; readonly keys?: string },
  others: Readonly<Record<string, Attribute>> = {},
): GraphNode[] {
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
    const axes = new AttentionAxes(operator, factors);
    const [keys] = axes.heads(intAttribute(node, "num_heads", 1));
    const [lane, valueLane] = [axes.lanesOf(0, keys), axes.lanesOf(2, keys)];
    for (const [slot, mine] of [lane, lane, valueLane].entries())
      axes.relate(slot, joinedOrApart(inputs[slot]!.dims.length, keys, mine));
    axes.relate(3, { 0: sumDim([lane, lane, valueLane].map((one) => [...keys, ...one])) });
    axes.relateScores(5, keys);
    axes.relate(6, { 1: keys, 3: lane });
    axes.relate(7, { 1: keys, 3: valueLane });
    axes.keepWhole([4, 8, 9]);
    return [
      axes.output(0, { 2: [...keys, ...valueLane] }),
      axes.output(1, { 1: keys, 3: lane }),
      axes.output(2, { 1: keys, 3: valueLane }),
      axes.output(3, { 1: keys }),
    ];
  },
  localize: (operator, local) => withLocalHeads(operator, local, { queries: "num_heads" }),
};

/** The input slots of an attention whose slot 1 is the weight. */
interface PackedSlots {
  /** A bias, or other vectors along the weight's columns. */
  readonly byColumn: readonly number[];
  readonly past: number;
  /** Addends of the scores. */
  readonly scores?: number;
  /** Inputs without anything that depends on the head. */
  readonly others: readonly number[];
}

/** Projects its input with one weight, `[in, heads·lanes + heads·lanes + heads·value lanes]`. */
function packedAttention({ byColumn, past, scores, others }: PackedSlots): Rule {
  return {
    propagate(operator, factors) {
      const { inputs, node } = operator;
      const axes = new AttentionAxes(operator, factors);
      const [keys] = axes.heads(intAttribute(node, "num_heads", 1));
      const third = inputs[1]!.dims[1]![0] / 3;
      const widths = intsAttribute(node, "qkv_hidden_sizes") ?? [third, third, third];
      const [lane, , valueLane] = widths.map((width) => {
        const size = width / sizeOf(keys)[0];
        return axes.lanes([size, size]);
      }) as [Dim, Dim, Dim];
      const packed = sumDim([lane, lane, valueLane].map((one) => [...keys, ...one]));
      axes.relate(1, { 1: packed });
      for (const slot of byColumn) axes.relate(slot, { 0: packed });
      axes.relate(past, { 2: keys, 4: lane });
      if (scores !== undefined) axes.relateScores(scores, keys);
      axes.keepWhole(others);
      return [axes.output(0, { 2: [...keys, ...valueLane] }), axes.output(1, { 2: keys, 4: lane })];
    },
    localize(operator, local) {
      const [keys] = local.cut();
      const [whole, mine] = [sizeOf(keys!)[0], local.size(keys!)[0]];
      const sizes = intsAttribute(operator.node, "qkv_hidden_sizes")?.map((size) => (size / whole) * mine);
      const changed: Record<string, Attribute> = sizes === undefined ? {} : { qkv_hidden_sizes: ints(sizes) };
      return withLocalHeads(operator, local, { queries: "num_heads" }, changed);
    },
  };
}

/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Attention */
const weightAttention = packedAttention({ byColumn: [2], past: 4, scores: 5, others: [0, 3, 6] });

/**
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QAttention: the same with a
 * quantized input and a quantized weight, which has one scale and zero point, or one for each column.
 */
const quantizedAttention = packedAttention({ byColumn: [2, 4, 7], past: 8, others: [0, 3, 5, 6] });

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
    const axes = new AttentionAxes(operator, factors);
    const count = intAttribute(node, "kv_num_heads", 1);
    const [keys, group] = axes.heads(count, intAttribute(node, "num_heads", 1) / count);
    const queries = [...keys, ...group];
    const isPacked = inputs[1] === undefined;
    const parts = sizeOf(queries)[0] + (isPacked ? 2 * count : 0);
    const lane = axes.lanes(quotient(inputs[0]!.dims[2]!, [parts, parts]) ?? [1, 1]);
    const joined = (dim: Dim): Dim => [...dim, ...lane];
    const first = isPacked ? sumDim([queries, keys, keys].map(joined)) : joined(queries);
    axes.relate(0, { 2: first });
    for (const slot of [1, 2]) axes.relate(slot, { 2: joined(keys) });
    for (const slot of [3, 4]) axes.relate(slot, { 1: keys, 3: lane });
    axes.relateScores(10, queries);
    axes.relate(11, { 0: queries });
    axes.keepWhole([5, 6, 7, 8, 9]);
    const present = { 1: keys, 3: lane };
    return [
      axes.output(0, { 2: joined(queries) }),
      axes.output(1, present),
      axes.output(2, present),
      axes.output(3, { 1: queries }),
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
    const axes = new AttentionAxes(operator, factors);
    const count = countOf(1, "kv_num_heads");
    const [keys, group] = axes.heads(count, countOf(0, "q_num_heads") / count);
    const queries = [...keys, ...group];
    const [lane, valueLane] = [axes.lanesOf(0, queries), axes.lanesOf(2, keys)];
    const rank = inputs[0]!.dims.length;
    axes.relate(0, joinedOrApart(rank, queries, lane));
    axes.relate(1, joinedOrApart(inputs[1]!.dims.length, keys, lane));
    axes.relate(2, joinedOrApart(inputs[2]!.dims.length, keys, valueLane));
    axes.relateScores(3, queries);
    axes.relate(4, { 1: keys, 3: lane });
    axes.relate(5, { 1: keys, 3: valueLane });
    axes.keepWhole([6]);
    return [
      axes.output(0, joinedOrApart(rank, queries, valueLane)),
      axes.output(1, { 1: keys, 3: lane }),
      axes.output(2, { 1: keys, 3: valueLane }),
      axes.output(3, { 1: queries }),
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
  "com.microsoft::Attention": weightAttention,
  "com.microsoft::QAttention": quantizedAttention,
  "com.microsoft::MultiHeadAttention": multiHeadAttention,
  "com.microsoft::GroupQueryAttention": groupQueryAttention,
};
