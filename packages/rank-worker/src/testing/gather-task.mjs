/** One rank of the gather tests, for `runRanks`: gives its part and returns the whole. */
import { gatherShards } from "../../dist/execution/gather-shards.js";

export function run(communicator, { parts, shard }) {
  return gatherShards(communicator, parts[communicator.rank], shard);
}
