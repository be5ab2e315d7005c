import {
  cacheReads,
  copyShare,
  loadRatio,
  median,
  memoryShare,
  trafficShare,
  turnRatio,
} from "./outcomes.mjs";

/** The shape for which memory, traffic and loading are judged. */
const largest = "tinyllama-1.1b";

/**
 * The targets, next to what was measured. Only targets that these options measure are judged, so a missing measurement
 * was requested.
 *
 * @returns `{ name, shape, precision, target, measured, met }`; `met` is undefined if there is nothing to judge, and
 *   `why` says so
 */
export function judge(measurements, options) {
  const verdicts = [];
  for (const { name, cell = {}, outcome, ...target } of targets(options)) {
    const { value, low, high, why } = outcome(measurements);
    const met =
      value === undefined
        ? undefined
        : "atLeast" in target
          ? value >= target.atLeast
          : value <= target.atMost;
    verdicts.push({
      name,
      ...cell,
      target,
      measured: value,
      low,
      high,
      met,
      ...(why !== undefined && { why }),
    });
  }
  return verdicts;
}

/** Each has a name, a shape and precision, `atLeast` or `atMost`, and a function that finds it in the measurements. */
function* targets(options) {
  const { parts, shapes, precisions, ranks } = options;
  if (parts.includes("models")) {
    for (const shape of shapes) {
      for (const precision of precisions) yield* ofModel({ shape, precision }, options);
    }
  }
  if (parts.includes("fixed")) {
    const what = { row: "fixed cost of a layer", label: "2 × 1" };
    yield { name: "fixed cost of a decode layer, µs", atMost: 100, outcome: median(what) };
  }
  if (parts.includes("collectives") && ranks.includes(2)) {
    const small = { row: "all-reduce", ranks: 2, bytes: 8192 };
    yield { name: "all-reduce of 8 KB, 2 ranks, µs", atMost: 3, outcome: median(small) };
    const share = copyShare({ ranks: 2, bytes: 2 ** 24 });
    yield { name: "all-reduce of 16 MB, share of the copy bound", atLeast: 0.5, outcome: share };
  }
  if (parts.includes("perplexity")) {
    for (const [precision, atMost] of Object.entries({ int8: 0.5, int4: 3.5 })) {
      if (!precisions.includes(precision)) continue;
      for (const atOnce of [8, 256]) {
        const outcome = median({ row: "perplexity above float32", precision, atOnce });
        yield {
          name: `perplexity above float32, ${atOnce} tokens at once, %`,
          cell: { precision },
          atMost,
          outcome,
        };
      }
    }
  }
}

function* ofModel(cell, { contexts, prompt, parts, peers, mainRanks, ranks, threads }) {
  const { shape, precision } = cell;
  const main = `${mainRanks} × 1`;
  const session = `session × ${threads}`;
  const llama = `llama.cpp × ${threads}`;
  const isQuantized = precision !== "float32";
  const against = (name, what, other, atLeast) => {
    const outcome = turnRatio({ ...cell, ...what }, main, other);
    return { name, cell, atLeast, outcome };
  };

  for (const context of contexts) {
    const decode = { row: "decode", context };
    yield against(`decode at ${context}, against one session`, decode, session, 0.95);
    if (!peers) continue;
    if (isQuantized) yield against(`decode at ${context}, against llama.cpp`, decode, llama, 1.1);
    const transformersJs = `transformers.js × ${threads}`;
    yield against(`decode at ${context}, against transformers.js`, decode, transformersJs, 1.3);
  }
  const prefill = { row: "prefill", prompt };
  yield against("prefill, against one session", prefill, session, 1.15);
  if (peers && precision === "int4") yield against("prefill, against llama.cpp", prefill, llama, 0.9);

  const [context] = contexts;
  if (mainRanks === 2 && ranks.includes(4)) {
    const outcome = turnRatio({ ...cell, row: "decode", context }, "4 × 1", main);
    yield { name: "4 ranks against 2", cell, atLeast: 0.8, outcome };
  }
  const isBounded = parts.includes("bandwidth");
  if (isBounded && contexts.includes(2048)) {
    const outcome = cacheReads({ ...cell, label: main }, { from: context, to: 2048 });
    yield { name: "time for the cache at 2048, in reads of it", cell, atMost: 1.5, outcome };
  }
  if (shape !== largest || precision === "int8") return;
  if (isBounded) {
    const outcome = trafficShare({ ...cell, label: main }, context);
    yield { name: "weight traffic, share of the bandwidth", cell, atLeast: 0.75, outcome };
  }
  const memory = memoryShare({ ...cell, label: main });
  yield { name: "peak memory over shards × 1.15 + 300 MB", cell, atMost: 1, outcome: memory };
  if (precision === "int4") {
    const outcome = loadRatio({ ...cell, label: main });
    yield { name: "second load, times faster than the first", cell, atLeast: 5, outcome };
  }
}
