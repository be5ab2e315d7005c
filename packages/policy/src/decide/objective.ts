/**
 * `memory`: the least weight bytes per rank, and predicted time among plans within 5% of it. `time`: predicted time
 * alone, so what is not worth splitting is replicated.
 *
 * Bytes per rank are counted as if units could be cut. 6 heads on 4 ranks are uneven, yet nothing is held twice;
 * going by the fullest rank would shard the 64 lanes of each head instead, evenly, and pay an all-reduce on the
 * scores for it.
 */
export const objectives = ["memory", "time"] as const;
export type Objective = (typeof objectives)[number];
