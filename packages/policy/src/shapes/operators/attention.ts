import type { DataType } from "@ringrank/model";
import type { Evaluated } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { sameAsInput } from "./elementwise.js";

/** `size / parts`, which must be an integer. */
function quotient(node: NodeContext, size: number, parts: number, what: string): number {
  const result = size / parts;
  return Number.isInteger(result) ? result : node.fail(`${what} of a multiple of ${parts}, not ${size}`);
}

/**
 * Opset 23. Q, K, V are `[batch, heads, sequence, size]`, or `[batch, sequence, heads·size]` with q_num_heads and
 * kv_num_heads; Y has the layout of Q. The mask is input 3, the past inputs 4 and 5. Outputs: Y, present key, present
 * value, scores.
 */
const attention: ShapeRule = (node) => {
  const type = node.type(0);
  const [q, k, v] = [
    heads(node, 0, "q_num_heads"),
    heads(node, 1, "kv_num_heads"),
    heads(node, 2, "kv_num_heads"),
  ];
  const past = node.optional(4)?.dims[2] ?? 0;
  const [batch, count, sequence] = q;
  const kept = past + k[2];
  const y = node.dims(0).length === 3 ? [batch, sequence, count * v[3]] : [batch, count, sequence, v[3]];
  return [
    { type, dims: y },
    { type: node.type(1), dims: [batch, k[1], kept, k[3]] },
    { type: node.type(2), dims: [batch, v[1], kept, v[3]] },
    { type, dims: [batch, count, sequence, kept] },
  ];
};

type Heads = readonly [batch: number, heads: number, sequence: number, size: number];

function heads(node: NodeContext, slot: number, attribute: string): Heads {
  const [a, b, c, d] = node.dims(slot);
  if (a === undefined || b === undefined || c === undefined) return node.fail(`input ${slot} of 3 or 4 axes`);
  if (d !== undefined) return [a, b, c, d];
  const count = node.requiredInt(attribute);
  return [a, count, b, quotient(node, c, count, `input ${slot} with a last size`)];
}

/**
 * com.microsoft.Attention: input `[batch, sequence, in]`, weight `[in, q + k + v]`, past
 * `[2, batch, heads, past, size]`. Outputs: `[batch, sequence, v]`, present.
 */
const fusedAttention: ShapeRule = (node) => packedHeads(node, node.type(0), 4);

/** com.microsoft.QAttention: the same with integers, in the type of their scale; the past is input 8. */
const quantizedAttention: ShapeRule = (node) => packedHeads(node, node.type(3), 8);

function packedHeads(node: NodeContext, type: DataType, past: number): Evaluated[] {
  const [batch, sequence] = node.dims(0);
  const packed = node.dims(1)[1];
  if (batch === undefined || sequence === undefined || packed === undefined)
    return node.fail("[batch, sequence, in] and a matrix");
  const count = node.requiredInt("num_heads");
  const valueSize =
    node.ints("qkv_hidden_sizes")?.[2] ?? quotient(node, packed, 3, "a weight with a second size");
  const kept = sequence + (node.optional(past)?.dims[3] ?? 0);
  const size = quotient(node, valueSize, count, "values with a last size");
  return [
    { type, dims: [batch, sequence, valueSize] },
    { type, dims: [2, batch, count, kept, size] },
  ];
}

/**
 * com.microsoft.MultiHeadAttention: query `[batch, sequence, hidden]` with key and value `[batch, kept, hidden]` or
 * `[batch, heads, kept, size]`; or query, key and value packed as `[batch, sequence, heads, 3, size]`; or key and
 * value as `[batch, kept, heads, 2, size]`. The past is in inputs 6 and 7. Outputs: output, present key, present
 * value, scores.
 */
const multiHeadAttention: ShapeRule = (node) => {
  const { type, dims: query } = node.input(0);
  const count = node.requiredInt("num_heads");
  const [batch, sequence] = query;
  if (batch === undefined || sequence === undefined) return node.fail("a query of at least 3 axes");
  const { length, keySize, valueSize } = keysAndValues(node, count);
  const kept = length + (node.optional(6)?.dims[2] ?? 0);
  return [
    { type, dims: [batch, sequence, count * valueSize] },
    { type, dims: [batch, count, kept, keySize] },
    { type, dims: [batch, count, kept, valueSize] },
    { type, dims: [batch, count, sequence, kept] },
  ];
};

interface KeysAndValues {
  readonly length: number;
  readonly keySize: number;
  readonly valueSize: number;
}

function keysAndValues(node: NodeContext, count: number): KeysAndValues {
  const packed = node.optional(1) === undefined ? node.dims(0) : node.dims(1);
  if (packed.length === 5) return { length: packed[1]!, keySize: packed[4]!, valueSize: packed[4]! };
  const value = node.dims(2);
  if (packed.length === 4) return { length: packed[2]!, keySize: packed[3]!, valueSize: value[3]! };
  return {
    length: packed[1]!,
    keySize: quotient(node, packed[2]!, count, "keys with a last size"),
    valueSize: quotient(node, value[2]!, count, "values with a last size"),
  };
}

/**
 * com.microsoft.GroupQueryAttention: query `[batch, sequence, heads·size]`, or, without key and value,
 * `[batch, sequence, (heads + 2·kv)·size]`; past `[batch, kv, past, size]`; input 6 is the total length. The present is
 * as long as the total, or as the past if that is a longer buffer. Outputs: output, present key, present value.
 */
const groupQueryAttention: ShapeRule = (node) => {
  const { type, dims: query } = node.input(0);
  const [batch, sequence, width] = query;
  if (batch === undefined || sequence === undefined || width === undefined)
    return node.fail("a query of 3 axes");
  const [count, groups] = [node.requiredInt("num_heads"), node.requiredInt("kv_num_heads")];
  const packed = node.optional(1) === undefined;
  const size = quotient(node, width, packed ? count + 2 * groups : count, "a query with a last size");
  const past = node.optional(3);
  const kept = Math.max(past?.dims[2] ?? 0, node.scalar(6, "total_sequence_length"));
  const present: Evaluated = { type: past?.type ?? type, dims: [batch, groups, kept, size] };
  return [{ type, dims: [batch, sequence, count * size] }, present, present];
};

/** Fused attention, and the rotary embedding of queries and keys. */
export const attentionRules: ShapeRules = {
  Attention: attention,
  RotaryEmbedding: sameAsInput,
  "com.microsoft::Attention": fusedAttention,
  "com.microsoft::QAttention": quantizedAttention,
  "com.microsoft::MultiHeadAttention": multiHeadAttention,
  "com.microsoft::GroupQueryAttention": groupQueryAttention,
  "com.microsoft::RotaryEmbedding": sameAsInput,
};
