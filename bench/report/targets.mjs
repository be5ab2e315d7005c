import { summary } from "../measure/statistics.mjs";
import { find, speedRatios } from "./find.mjs";

/** The shape that memory, traffic and loading are judged on. */
const largest = "tinyllama-1.1b";

/**
 * What is aimed at, beside what was measured. Ratios are of turns taken side by side, medians.
 *
 * @returns `{ name, cell, target, measured, met }`; `met` is undefined where there is nothing to judge, and `why` says so
 */
export function judge(measurements, options) {
  const main = `${options.mainRanks} × 1`;
  const session = `session × ${options.threads}`;
  const bandwidth = find(measurements, { row: "read bandwidth" });
  const verdicts = [];

  const add = (name, cell, target, outcome) => verdicts.push(verdict(name, cell, target, outcome));
  const ratio = (name, cell, what, other, atLeast, own = main) =>
    add(name, cell, { atLeast }, fromRatios(speedRatios(measurements, { ...cell, ...what }, own, other)));

  for (const shape of options.shapes) {
    for (const precision of options.precisions) {
      const cell = { shape, precision };
      const quantized = precision !== "float32";
      for (const context of options.contexts) {
        const decode = { row: "decode", context };
        ratio(`decode at ${context}, against one session`, cell, decode, session, 0.95);
        if (quantized) {
          ratio(
            `decode at ${context}, against llama.cpp`,
            cell,
            decode,
            `llama.cpp × ${options.threads}`,
            1.1,
          );
        }
        ratio(
          `decode at ${context}, against transformers.js`,
          cell,
          decode,
          `transformers.js × ${options.threads}`,
          1.3,
        );
      }
      const prefill = { row: "prefill", prompt: options.prompt };
      ratio("prefill, against one session", cell, prefill, session, 1.15);
      if (precision === "int4")
        ratio("prefill, against llama.cpp", cell, prefill, `llama.cpp × ${options.threads}`, 0.9);
      if (options.mainRanks === 2 && options.ranks.includes(4)) {
        const decode = { row: "decode", context: options.contexts[0] };
        const { ratios, missing } = speedRatios(measurements, { ...cell, ...decode }, main, "4 × 1");
        // Speed of 4 ranks as a share of 2 ranks'.
        add(
          "4 ranks against 2",
          cell,
          { atLeast: 0.8 },
          fromRatios({ ratios: ratios?.map((r) => 1 / r), missing }),
        );
      }
      add(
        "time for the cache at 2048, in reads of it",
        cell,
        { atMost: 1.5 },
        cacheReads(measurements, cell, main, bandwidth),
      );
      if (shape !== largest) continue;
      if (precision !== "int8") {
        add(
          "weight traffic, share of the bandwidth",
          cell,
          { atLeast: 0.75 },
          traffic(measurements, cell, main, bandwidth, options),
        );
        add("peak memory over shards × 1.15 + 300 MB", cell, { atMost: 1 }, memory(measurements, cell, main));
      }
      if (precision === "int4") {
        add(
          "second load, times faster than the first",
          cell,
          { atLeast: 5 },
          loads(measurements, cell, main),
        );
      }
    }
  }
  const fixed = find(measurements, { row: "fixed cost of a layer", label: "2 × 1" });
  add("fixed cost of a decode layer, µs", {}, { atMost: 100 }, medianOf(fixed));
  const small = find(measurements, { row: "all-reduce", ranks: 2, bytes: 8192 });
  add("all-reduce of 8 KB, 2 ranks, µs", {}, { atMost: 3 }, medianOf(small));
  add("all-reduce of 16 MB, share of the copy bound", {}, { atLeast: 0.5 }, copyShare(measurements));
  for (const [precision, atMost] of [
    ["int8", 0.5],
    ["int4", 3.5],
  ]) {
    const increase = find(measurements, { row: "perplexity above float32", precision });
    add("perplexity above float32, %", { precision }, { atMost }, medianOf(increase));
  }
  return verdicts;
}

function verdict(name, cell, target, { value, low, high, why }) {
  const met =
    value === undefined ? undefined : "atLeast" in target ? value >= target.atLeast : value <= target.atMost;
  return { name, ...cell, target, measured: value, low, high, met, ...(why !== undefined && { why }) };
}

function medianOf(measurement) {
  if (measurement === undefined) return { why: "not measured" };
  if (measurement.median === undefined) return { why: measurement.failed ?? measurement.skipped };
  return { value: measurement.median, low: measurement.low, high: measurement.high };
}

function fromRatios({ ratios, missing }) {
  if (ratios === undefined) return { why: missing };
  const { median, low, high } = summary(ratios);
  return { value: median, low, high };
}

/** What decoding at 2048 takes longer than at 128, in units of reading the cache once at the bandwidth measured. */
function cacheReads(measurements, cell, label, bandwidth) {
  const [short, long] = [128, 2048].map((context) =>
    find(measurements, { row: "decode", context, ...cell, label }),
  );
  const bytes = find(measurements, { row: "cache", context: 2048, ...cell });
  const missing = [short, long, bytes, bandwidth].some((one) => one?.median === undefined);
  if (missing) return { why: "decode at 128 and 2048, and the bandwidth, are needed" };
  const read = (bytes.median / (bandwidth.median * 1e9)) * 1000;
  return { value: (long.median - short.median) / read };
}

function traffic(measurements, cell, label, bandwidth, options) {
  const decode = find(measurements, { row: "decode", context: options.contexts[0], ...cell, label });
  const bytes = find(measurements, { row: "weights read per token", ...cell });
  const missing = [decode, bytes, bandwidth].some((one) => one?.median === undefined);
  if (missing) return { why: "decode and the bandwidth are needed" };
  return { value: bytes.median / decode.median / 1e6 / bandwidth.median };
}

function memory(measurements, cell, label) {
  const peak = find(measurements, { row: "peak memory, loaded", ...cell, label });
  const kept = find(measurements, { row: "weights kept", ...cell, label });
  if (peak?.median === undefined || kept?.median === undefined) return { why: "the peak was not measured" };
  return { value: peak.median / (1.15 * kept.median + 300e6) };
}

function loads(measurements, cell, label) {
  const [first, second] = ["first", "second"].map((load) =>
    find(measurements, { row: "load", load, ...cell, label }),
  );
  if (first?.median === undefined || second?.median === undefined) return { why: "both loads are needed" };
  return { value: first.median / second.median };
}

function copyShare(measurements) {
  const what = { ranks: 2, bytes: 2 ** 24 };
  const reduce = find(measurements, { row: "all-reduce", ...what });
  const copy = find(measurements, { row: "copy", ...what });
  if (reduce?.median === undefined || copy?.median === undefined) return { why: "not measured" };
  return { value: copy.median / reduce.median };
}
