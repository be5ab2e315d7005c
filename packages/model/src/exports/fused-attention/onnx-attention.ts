import { attend, joinHeads, separateHeads } from "../../architectures/blocks/attention.js";
import { floatAttribute, intAttribute } from "../../graph/attributes.js";
import type { Value } from "../../graph/index.js";
import type { StatePair } from "../state-pairs.js";
import { type AttentionOperator, lanesOf, notLowered } from "./fused-attention.js";

/** Inputs of the operator. */
const slot = { query: 0, key: 1, value: 2, mask: 3, pastKey: 4, pastValue: 5 } as const;

/**
 * ONNX's Attention of opset 23 with a past (https://onnx.ai/onnx/operators/onnx__Attention.html). Heads are a separate
 * axis, or merged with their lanes if `q_num_heads` gives their number. Its mask spans past and new rows; without one
 * it must be causal.
 */
export const onnxAttention: AttentionOperator = {
  past: { key: slot.pastKey, value: slot.pastValue },
  biases: [slot.mask],
  lower({ g, node, input, caches, key: keyState, value: valueState }) {
    const [query, key, value] = [input(slot.query)!, input(slot.key)!, input(slot.value)!];
    const [keyDim, valueDim] = [lanesOf(keyState), lanesOf(valueState)];
    const joined = intAttribute(node, "q_num_heads", 0);
    const keyValueHeads = keyState.past.dims[1];
    if (typeof keyValueHeads !== "number")
      throw notLowered(node, "a number of heads known only when running");
    if (joined === 0) throw notLowered(node, "heads on an axis of their own");
    const mask = input(slot.mask);
    const isCausal = intAttribute(node, "is_causal", 0) !== 0;
    if (isCausal === (mask !== undefined))
      throw notLowered(node, isCausal ? "a mask and is_causal" : "neither a mask nor is_causal");
    const cache = caches.get();
    const kept = ({ state }: StatePair, rows: Value, lanes: number) =>
      cache.append(state, separateHeads(g, rows, keyValueHeads, lanes), keyValueHeads, lanes);
    const cap = floatAttribute(node, "softcap", 0);
    const mixed = attend(g, {
      query: separateHeads(g, query, joined, keyDim),
      key: kept(keyState, key, keyDim),
      value: kept(valueState, value, valueDim),
      shape: { heads: joined, keyValueHeads, headDim: keyDim },
      cache,
      mask,
      scale: floatAttribute(node, "scale", 0) || undefined,
      scoreCap: cap === 0 ? undefined : cap,
    });
    return joinHeads(g, mixed, joined, valueDim);
  },
};
