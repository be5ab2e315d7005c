import type { GraphBuilder, Value } from "../../graph/index.js";

/**
 * Of scores by distance, those of every key: `[batch, heads, n, 2n]` to `[batch, heads, n, n]`,
 *
 *     shifted[i, j] = scores[i, j − i + n]
 *
 * Element (i, j − i + n) of rows of 2n lies at `i·(2n − 1) + j + n`: read from n on, in rows of 2n − 1, it is at
 * (i, j). So nothing is picked by index (Dai et al., Transformer-XL, https://arxiv.org/abs/1901.02860, appendix B).
 *
 * @param length n, int64 `[1]`
 */
export function relativeShift(g: GraphBuilder, scores: Value, length: Value): Value {
  const read = g.slice(g.reshape(scores, [0, 0, -1]), length, undefined, 2);
  const rows = g.concat([g.integers([0, 0]), length, g.integers([-1])], 0);
  return g.slice(g.reshapeBy(read, rows), g.integers([0]), length, 3);
}
