import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type EmbeddingTable, embedding } from "./embedding.js";

interface RelativeBuckets {
  readonly buckets: number;
  /** Distances from this one on share the last bucket. */
  readonly maxDistance: number;
  /** Whether keys after the query have buckets of their own. If not, they are all in the bucket of distance 0. */
  readonly bidirectional: boolean;
}

/**
 * T5's relative position buckets (https://arxiv.org/abs/1910.10683, section 2.1): small distances have a bucket each,
 * large ones share buckets whose width grows exponentially with the distance. int64, in the shape of `distances`.
 *
 * @param distances `key − query`, int64 `[batch or 1, queries, keys]`
 * @throws RR_CONFIG if every distance would have a bucket of its own
 */
export function relativeBuckets(
  { g, config }: ModelContext,
  distances: Value,
  options: RelativeBuckets,
): Value {
  if (options.maxDistance <= exactDistances(options)) {
    throw config.error(
      `expected the largest relative distance to exceed the ${exactDistances(options)} that have buckets of their own, ` +
        `got ${options.maxDistance}`,
    );
  }
  return lookUpDistance(g, distances, options.maxDistance, (distance) => bucketOf(distance, options));
}

/**
 * A bias for the scores: one learned number per head and bucket.
 *
 * @param buckets int64 `[batch or 1, queries, keys]`
 * @param table `[buckets, heads]`
 * @returns float32 `[batch or 1, heads, queries, keys]`
 */
export function relativeBias(context: ModelContext, buckets: Value, table: EmbeddingTable): Value {
  return context.g.transpose(embedding(context, buckets, table), [0, 3, 1, 2]);
}

/**
 * Applies a function to distances. It must be constant from `reach` on, on either side: its values are computed here
 * and stored in a table, which the graph looks up. int64, in the shape of `distances`.
 */
export function lookUpDistance(
  g: GraphBuilder,
  distances: Value,
  reach: number,
  of: (distance: number) => number,
): Value {
  const values = Array.from({ length: 2 * reach + 1 }, (_, i) => of(i - reach));
  const near = g.clip(distances, g.integer(-reach), g.integer(reach));
  return g.gather(g.integers(values), g.add(near, g.integer(reach)), 0);
}

type Buckets = Pick<RelativeBuckets, "buckets" | "bidirectional">;

function bucketsPerSide({ buckets, bidirectional }: Buckets): number {
  return bidirectional ? buckets / 2 : buckets;
}

/** Distances below this one have a bucket each. */
function exactDistances(options: Buckets): number {
  return Math.floor(bucketsPerSide(options) / 2);
}

/** The bucket of a distance `key − query`. */
export function bucketOf(distance: number, { buckets, maxDistance, bidirectional }: RelativeBuckets): number {
  const perSide = bucketsPerSide({ buckets, bidirectional });
  const first = bidirectional && distance > 0 ? perSide : 0;
  const length = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = exactDistances({ buckets, bidirectional });
  if (length < exact) return first + length;
  // In float32, as transformers does, so that distances on the border of two buckets go to the same one.
  const { fround, log } = Math;
  const ratio = fround(fround(log(fround(length / exact))) / fround(log(maxDistance / exact)));
  const logarithmic = exact + Math.trunc(fround(ratio * (perSide - exact)));
  return first + Math.min(logarithmic, perSide - 1);
}
