import { attend, joinHeads, separateHeads } from "../../architectures/blocks/attention.js";
import { floatAttribute, int, intAttribute } from "../../graph/attributes.js";
import type { Value } from "../../graph/index.js";
import type { StatePair } from "../state-pairs.js";
import { type AttentionOperator, countOf, type Lowering, lanesOf, notLowered } from "./fused-attention.js";

/** Inputs of the operator. */
const slot = {
  query: 0,
  key: 1,
  value: 2,
  pastKey: 3,
  pastValue: 4,
  cosCache: 7,
  sinCache: 8,
  positionIds: 9,
  attentionBias: 10,
  headSink: 11,
} as const;

/**
 * com.microsoft.GroupQueryAttention, which onnxruntime-genai's builder writes
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md): causal attention that may have fewer
 * key heads than query heads. It may also split a packed `[query | key | value]`, rotate, cap the scores, use a sliding
 * window of `local_window_size` positions, including the current one, and have a sink per head. The number of tokens in
 * each sequence (`seqlens_k`, `total_sequence_length`) follows from the cache.
 */
export const groupQueryAttention: AttentionOperator = {
  past: { key: slot.pastKey, value: slot.pastValue },
  biases: [slot.attentionBias],
  lower(lowering) {
    const { g, node, input, caches, key: keyState, value: valueState } = lowering;
    if (node.inputs.slice(slot.headSink + 1).some((name) => name !== "")) {
      throw notLowered(node, "a quantized past");
    }
    if (input(slot.attentionBias) !== undefined) throw notLowered(node, "an attention_bias");
    const heads = countOf(node, "num_heads");
    const keyValueHeads = countOf(node, "kv_num_heads");
    const packed = input(slot.key) === undefined ? 2 * keyValueHeads : 0;
    const headDim = lanesOf(keyState, (lowering.lastSize(slot.query) ?? Number.NaN) / (heads + packed));
    const shape = { heads, keyValueHeads, headDim };
    const [q, k, v] = projections(
      lowering,
      [heads, keyValueHeads, keyValueHeads].map((n) => n * headDim),
    );
    const turn = (x: Value): Value =>
      intAttribute(node, "do_rotary", 0) === 0 ? x : rotated(lowering, x, headDim);
    const window = intAttribute(node, "local_window_size", -1);
    const cache = caches.get(window > 0 ? window : undefined);
    const kept = ({ state }: StatePair, rows: Value) => cache.append(state, rows, keyValueHeads, headDim);
    const cap = floatAttribute(node, "softcap", 0);
    const mixed = attend(g, {
      query: turn(separateHeads(g, q, heads, headDim)),
      key: kept(keyState, turn(separateHeads(g, k, keyValueHeads, headDim))),
      value: kept(valueState, separateHeads(g, v, keyValueHeads, headDim)),
      shape,
      cache,
      scale: floatAttribute(node, "scale", 0) || undefined,
      scoreCap: cap === 0 ? undefined : cap,
      sinks: sinksOf(lowering, heads),
    });
    return joinHeads(g, mixed, heads, headDim);
  },
};

/** Query, key and value, `[batch, sequence, widths[i]]`: separate, or packed in the first. */
function projections({ g, input }: Lowering, widths: readonly number[]): [Value, Value, Value] {
  const [query, key, value] = [input(slot.query)!, input(slot.key), input(slot.value)];
  if (key !== undefined && value !== undefined) return [query, key, value];
  const [q, k, v] = g.split(query, widths, 2);
  return [q!, k!, v!];
}

/** @param x `[batch, heads, sequence, headDim]` */
function rotated({ g, node, input, weight, step }: Lowering, x: Value, headDim: number): Value {
  const [cos, sin] = [input(slot.cosCache), input(slot.sinCache)];
  const pairs = weight(slot.cosCache)?.dims[1];
  if (cos === undefined || sin === undefined || pairs === undefined) {
    throw notLowered(node, "rotary angles that are not constant");
  }
  const positions = input(slot.positionIds) ?? step.positionIds;
  const interleaved = intAttribute(node, "rotary_interleaved", 0);
  const rotate = (lanes: Value): Value =>
    g.node("RotaryEmbedding", [lanes, positions, cos, sin], {
      domain: "com.microsoft",
      attributes: { interleaved: int(interleaved) },
    });
  if (2 * pairs === headDim) return rotate(x);
  const [turning, still] = g.split(x, [2 * pairs, headDim - 2 * pairs], 3);
  return g.concat([rotate(turning!), still!], 3);
}

/** An additional score per head: given, or 0 for a smooth softmax, `exp(x) / (1 + Σ exp(x))`. */
function sinksOf({ g, node, input }: Lowering, heads: number): Value | undefined {
  const smooth = intAttribute(node, "smooth_softmax", 0) > 0;
  return input(slot.headSink) ?? (smooth ? g.numbers(new Array<number>(heads).fill(0), [heads]) : undefined);
}
