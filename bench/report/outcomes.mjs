/**
 * The values that are compared with targets: each is a function of the measurements that returns a `value`, with the
 * middle half around it if there is one, or `why` there is none.
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
 * By how much the cache's cost per step grows from a short context to a long one, in units of the time to read the
 * additional rows once at the bandwidth measured with the long one.
 *
 * @param row the row whose milliseconds count: the cost of the cache from the trace, or whole steps ("decode")
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
 * The time to read the weights once at the bandwidth measured in the same turns, relative to a decode step, turn by
 * turn.
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

/** The peak memory of a load relative to its limit: 1.15 times the shards, plus 300 MB. */
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

/** The time of copying relative to an all-reduce, turn by turn. */
export function copyShare(what) {
  return whereAll(
    { reduce: { row: "all-reduce", ...what }, copy: { row: "copy", ...what } },
    ({ reduce, copy }) => middle(reduce.turns.map((time, turn) => copy.turns[turn] / time)),
  );
}

/** The median, and the middle half if there is more than one sample. */
function middle(samples) {
  const { median, low, high } = summary(samples);
  return samples.length === 1 ? { value: median } : { value: median, low, high };
}

/** Finds all required measurements by name; if one is missing, says why. */
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
