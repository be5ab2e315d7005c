import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, joinHeads } from "../blocks/attention.js";
import type { EncoderInput } from "../blocks/encoder-input.js";
import type { QueryKeyValue } from "../blocks/query-key-value.js";
import { lookUpDistance } from "../blocks/relative-buckets.js";
import { relativeShift } from "../blocks/relative-shift.js";

interface DistanceTable {
  /** float32 `[rows, width]`. */
  readonly table: Value;
  /** `rowOf` is constant from this distance on, on either side. */
  readonly reach: number;
  /** The row of a distance `query − key`. */
  readonly rowOf: (distance: number) => number;
}

/** Embeddings of the distances −n to n between query and key, for a row of n tokens: `[2n + 1, width]`. */
export function distanceEmbeddings(
  { g }: ModelContext,
  { inputIds }: EncoderInput,
  { table, reach, rowOf }: DistanceTable,
): Value {
  const n = lengthOf(g, inputIds);
  const distances = g.sub(g.range(g.add(g.add(n, n), g.integer(1))), n);
  return g.gather(table, lookUpDistance(g, distances, reach, rowOf), 0);
}

function lengthOf(g: GraphBuilder, inputIds: Value): Value {
  return g.squeeze(g.shape(inputIds, 1, 2), [0]);
}

interface DisentangledAttention extends QueryKeyValue {
  /** Keys of the distances, `[2n + 1, heads · headDim]`; undefined for no content-to-position term. */
  readonly distanceKeys: Value | undefined;
  /** Queries of the distances, as `distanceKeys`; undefined for no position-to-content term. */
  readonly distanceQueries: Value | undefined;
  /** The number of terms by which scores are scaled; they may be fewer. */
  readonly terms: number;
  readonly shape: AttentionShape;
  readonly input: EncoderInput;
  readonly mask: Value;
}

/**
 * Attention whose scores are the sum of a content-to-content, a content-to-position and a position-to-content term
 * (https://arxiv.org/abs/2006.03654, equation 4), `[batch, n, heads · headDim]`:
 *
 *     q(i)·k(j) + q(i)·kᵣ(i − j) + qᵣ(i − j)·k(j)
 */
export function disentangledAttention({ g }: ModelContext, attention: DisentangledAttention): Value {
  const { query, key, value, distanceKeys, distanceQueries, terms, shape, input, mask } = attention;
  const { heads, headDim } = shape;
  const scale = 1 / Math.sqrt(terms * headDim);
  const n = lengthOf(g, input.inputIds);
  const twice = g.add(n, n);
  const length = g.unsqueeze(n, [0]);
  const perHead = (rows: Value): Value => g.transpose(g.reshape(rows, [0, heads, headDim]), [1, 0, 2]);

  let scores = g.matmulTransposed(query, key, scale);
  if (distanceKeys !== undefined) {
    // Distances from n down to 1 − n, so that column j − i + n of row i is the distance i − j.
    const falling = perHead(g.gather(distanceKeys, g.sub(twice, g.range(twice)), 0));
    scores = g.add(scores, relativeShift(g, g.matmulTransposed(query, falling, scale), length));
  }
  if (distanceQueries !== undefined) {
    // Distances from −n up to n − 1, so that column i − j + n of row j is the distance i − j.
    const rising = perHead(g.slice(distanceQueries, g.integers([0]), g.unsqueeze(twice, [0]), 0));
    const byKey = relativeShift(g, g.matmulTransposed(key, rising, scale), length);
    scores = g.add(scores, g.transpose(byKey, [0, 1, 3, 2]));
  }
  return joinHeads(g, g.matmul(g.softmax(g.add(scores, mask)), value), heads, headDim);
}
