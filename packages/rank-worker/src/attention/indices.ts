import type { AttentionOverCache } from "@ringrank/policy";

/** Indices in the table of the inputs and outputs of an attention. */
export interface Indices {
  /** Of queries, keys and values. */
  readonly projections: readonly [number, number, number];
  /** Of cos and sin, if heads are rotated. */
  readonly angles: readonly number[];
  readonly addends: readonly number[];
  readonly pastKeys: number;
  readonly pastValues: number;
  readonly presentKeys: number;
  readonly presentValues: number;
  readonly context: number;
}

/** @param indexOf returns the index of a value in the table */
export function indicesOf(plan: AttentionOverCache, indexOf: (value: string) => number): Indices {
  const { query, key, value, rotary } = plan;
  return {
    projections: [indexOf(query.value), indexOf(key.value), indexOf(value.value)],
    angles: rotary === undefined ? [] : [indexOf(rotary.cos), indexOf(rotary.sin)],
    addends: plan.addends.map(indexOf),
    pastKeys: indexOf(plan.pastKeys),
    pastValues: indexOf(plan.pastValues),
    presentKeys: indexOf(plan.presentKeys),
    presentValues: indexOf(plan.presentValues),
    context: indexOf(plan.context),
  };
}
