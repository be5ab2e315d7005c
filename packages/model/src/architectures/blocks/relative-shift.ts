import type { GraphBuilder, Value } from "../../graph/index.js";

/**
 * Transformer-XL's relative shift (https://arxiv.org/abs/1901.02860, appendix B) turns scores by distance into scores
 * by key: `[batch, heads, n, 2n]` to `[batch, heads, n, n]`,
 *
 *     shifted[i, j] = scores[i, j − i + n]
 *
 * In rows of 2n, element (i, j − i + n) is at offset `i·(2n − 1) + j + n`. Without the first n elements, and in rows of
 * 2n − 1, that is element (i, j). So slices and a reshape are enough, without a gather.
 *
 * @param length n, int64 `[1]`
 */
export function relativeShift(g: GraphBuilder, scores: Value, length: Value): Value {
  const read = g.slice(g.reshape(scores, [0, 0, -1]), length, undefined, 2);
  const rows = g.concat([g.integers([0, 0]), length, g.integers([-1])], 0);
  return g.slice(g.reshapeBy(read, rows), g.integers([0]), length, 3);
}
