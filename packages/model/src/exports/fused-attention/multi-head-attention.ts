import { attend, joinHeads, separateHeads } from "../../architectures/blocks/attention.js";
import { floatAttribute, intAttribute } from "../../graph/attributes.js";
import type { Value } from "../../graph/index.js";
import { type AttentionOperator, countOf, lanesOf, notLowered } from "./fused-attention.js";

/** Inputs of the operator. */
const slot = {
  query: 0,
  key: 1,
  value: 2,
  bias: 3,
  paddingMask: 4,
  attentionBias: 5,
  pastKey: 6,
  pastValue: 7,
} as const;

/**
 * com.microsoft.MultiHeadAttention with a past: query, key and value are `[batch, sequence, heads · lanes]`, to which
 * `bias` is added; `attention_bias`, which spans past and new rows, is added to the scores
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md). Without it, the operator must be
 * causal, because rows of a cache do not see later ones.
 */
export const multiHeadAttention: AttentionOperator = {
  past: { key: slot.pastKey, value: slot.pastValue },
  biases: [slot.attentionBias],
  lower({ g, node, input, caches, key: keyState, value: valueState }) {
    const projected = [input(slot.query), input(slot.key), input(slot.value)];
    if (input(slot.paddingMask) !== undefined) throw notLowered(node, "a key_padding_mask");
    const isCausal = intAttribute(node, "unidirectional", 0) !== 0;
    if (isCausal === (input(slot.attentionBias) !== undefined)) {
      throw notLowered(
        node,
        isCausal ? "an attention_bias and is unidirectional" : "neither a mask nor is causal",
      );
    }
    const heads = countOf(node, "num_heads");
    const [keyDim, valueDim] = [lanesOf(keyState), lanesOf(valueState)];
    const bias = input(slot.bias);
    const widths = [keyDim, keyDim, valueDim].map((lanes) => heads * lanes);
    const biases = bias && g.split(bias, widths, 0);
    const headsOf = (which: 0 | 1 | 2): Value => {
      const x = projected[which];
      if (x === undefined) throw notLowered(node, "packed projections");
      const lanes = which === 2 ? valueDim : keyDim;
      return separateHeads(g, biases === undefined ? x : g.add(x, biases[which]!), heads, lanes);
    };
    const cache = caches.get();
    const mixed = attend(g, {
      query: headsOf(0),
      key: cache.append(keyState.state, headsOf(1), heads, keyDim),
      value: cache.append(valueState.state, headsOf(2), heads, valueDim),
      shape: { heads, keyValueHeads: heads, headDim: keyDim },
      cache,
      mask: input(slot.attentionBias),
      scale: floatAttribute(node, "scale", 0) || undefined,
    });
    return joinHeads(g, mixed, heads, valueDim);
  },
};
