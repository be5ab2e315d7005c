/**
 * What targets are held against: each is a function of the measurements that gives a `value`, with the middle half
 * around it where there is one, or `why` there is none.
 */
import { summary } from "../measure/statistics.mjs";
import { find, speedRatios, whyMissing } from "./find.mjs";

/** The figure itself. */
export function median(what) {
  return whereAll({ one: what }, ({ one }) => middle(one.turns));
}

/** How many times faster one contestant was than another: the median over the turns they took side by side. */
export function turnRatio(what, label, other) {
  return (measurements) => {
    const { ratios, missing } = speedRatios(measurements, what, label, other);
    if (ratios === undefined) return { why: missing };
    return middle(ratios);
  };
}

/**
 * What the cache costs a step more behind a long context than behind a short one, in reads of what the cache has more,
 * at the bandwidth measured beside the long one.
 *
 * @param row whose milliseconds count: what the cache costs by the trace, or whole steps ("decode")
 */
export function cacheReads({ label, ...cell }, { from, to, row = "cache work" }) {
  const needed = {
    short: { row, context: from, ...cell, label },
    long: { row, context: to, ...cell, label },
    shortCache: { row: "cache", context: from, ...cell },
    longCache: { row: "cache", context: to, ...cell },
    bandwidth: { row: "read bandwidth", of: row, context: to, ...cell },
  };
  return whereAll(needed, ({ short, long, shortCache, longCache, bandwidth }) => {
    const once = (longCache.median - shortCache.median) / bandwidth.median / 1e6;
    const reads = (time) => (time - short.median) / once;
    return { value: reads(long.median), low: reads(long.low), high: reads(long.high) };
  });
}

/**
 * What reading the weights once takes at the bandwidth measured beside it, as a share of a decode step, turn by turn.
 */
export function trafficShare({ label, ...cell }, context) {
  const needed = {
    decode: { row: "decode", context, ...cell, label },
    weights: { row: "weights read per token", ...cell },
    bandwidth: { row: "read bandwidth", of: "decode", context, ...cell },
  };
  return whereAll(needed, ({ decode, weights, bandwidth }) =>
    middle(decode.turns.map((time, turn) => weights.median / bandwidth.turns[turn] / 1e6 / time)),
  );
}

/** The peak of a load as a share of what it may be: 1.15 times the shards, and 300 MB. */
export function memoryShare(what) {
  const needed = { peak: { row: "peak memory, loaded", ...what }, kept: { row: "weights kept", ...what } };
  return whereAll(needed, ({ peak, kept }) => ({ value: peak.median / (1.15 * kept.median + 300e6) }));
}

/** How many times faster the second load was. */
export function loadRatio(what) {
  const load = { row: "load", ...what };
  return whereAll(
    { first: { ...load, load: "first" }, second: { ...load, load: "second" } },
    ({ first, second }) => ({ value: first.median / second.median }),
  );
}

/** What copying takes as a share of an all-reduce, turn by turn. */
export function copyShare(what) {
  return whereAll(
    { reduce: { row: "all-reduce", ...what }, copy: { row: "copy", ...what } },
    ({ reduce, copy }) => middle(reduce.turns.map((time, turn) => copy.turns[turn] / time)),
  );
}

/** The median, and the middle half where there is more than one sample. */
function middle(samples) {
  const { median, low, high } = summary(samples);
  return samples.length === 1 ? { value: median } : { value: median, low, high };
}

/** Finds all that is needed, by name; where one is missing, says why. */
function whereAll(needed, outcome) {
  return (measurements) => {
    const found = {};
    for (const [name, what] of Object.entries(needed)) {
      const one = find(measurements, what);
      if (one?.median === undefined) return { why: whyMissing(measurements, what) };
      found[name] = one;
    }
    return outcome(found);
  };
}
