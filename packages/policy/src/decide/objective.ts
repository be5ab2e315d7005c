/**
 * `memory`: the fewest weight bytes per rank, and predicted time among plans within 5% of that. `time`: only predicted
 * time, so whatever is not worth splitting is replicated.
 *
 * Bytes per rank are counted as if units could be cut. 6 heads on 4 ranks are uneven, but nothing is held twice. Going
 * by the rank that holds most would shard the 64 lanes of each head instead, evenly, at the cost of an all-reduce of
 * the scores.
 */
export const objectives = ["memory", "time"] as const;
export type Objective = (typeof objectives)[number];
