import { byteCount } from "./element-types.js";
import type { WeightShard } from "./shard-reader.js";

/** Bytes that a shard takes in memory. */
export function bytesOfShard({ weight, dims }: Pick<WeightShard, "weight" | "dims">): number {
  return byteCount(weight.type, dims);
}

/** Bytes that all of them take. */
export function bytesOfShards(shards: Readonly<Record<string, WeightShard>>): number {
  return Object.values(shards).reduce((sum, shard) => sum + bytesOfShard(shard), 0);
}
