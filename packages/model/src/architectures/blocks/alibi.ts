import type { GraphBuilder, Value } from "../../graph/index.js";
import type { CausalCache } from "./causal-cache.js";

type KeyPositions = Pick<CausalCache, "keyPositions">;

/**
 * Attention with linear biases (https://arxiv.org/abs/2108.12409): `slope(head) · position(key)`, float32
 * `[batch, heads, 1, past + sequence]`. The distance to the query differs from that by a number that is the
 * same for all keys, which softmax does not see.
 */
export function alibi(g: GraphBuilder, cache: KeyPositions, heads: number, last?: number): Value {
  const positions = g.cast(g.unsqueeze(cache.keyPositions, [1, 2]), "float32");
  return g.mul(g.numbers(alibiSlopes(heads, last), [1, heads, 1, 1]), positions);
}

/**
 * The same, rounded to bfloat16 at every step, as in Falcon's training. The result then does not only depend on the
 * distance to the query.
 */
export function bfloat16Alibi(g: GraphBuilder, cache: KeyPositions, heads: number): Value {
  const rounded = (x: Value): Value => g.cast(g.cast(x, "bfloat16"), "float32");
  const positions = rounded(g.cast(g.unsqueeze(cache.keyPositions, [1, 2]), "float32"));
  return rounded(g.mul(rounded(g.numbers(alibiSlopes(heads), [1, heads, 1, 1])), positions));
}

/**
 * `2^(−m·i/n)` for head i of n, from 1, with m = 8 unless a model says otherwise. Where n is no power of two, the
 * series of the next smaller one is followed by every other number of the next larger one.
 *
 * @param last m, which makes the last head's slope 2^(−m)
 */
export function alibiSlopes(heads: number, last = 8): number[] {
  const lower = 2 ** Math.floor(Math.log2(heads));
  return Array.from({ length: heads }, (_, head) => {
    const place = head < lower ? head + 1 : head - lower + 1 / 2;
    return 2 ** ((-last * place) / lower);
  });
}
