import { find } from "./find.mjs";
import { grid } from "./grid.mjs";
import { cacheReads } from "./outcomes.mjs";

/** All measurements, as text for a terminal. */
export function tables({ measurements, machine, targets, options }) {
  return [
    machineLines(machine, measurements),
    ...options.shapes.map((shape) => modelTable(measurements, shape, options)),
    cacheTable(measurements, options),
    fixedTable(measurements),
    collectivesTable(measurements),
    perplexityTable(measurements),
    targetTable(targets, options),
    notMeasured(measurements),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

function machineLines(machine, measurements) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.processor}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} GB, ` +
      `${machine.system}, Node ${machine.node}${machine.hugePages ? `, huge pages: ${machine.hugePages}` : ""}`,
    versions.join(", "),
    `load over the last minute before the run: ${machine.loadBefore.toFixed(1)}`,
    ...bandwidthLines(measurements),
  ].join("\n");
}

function bandwidthLines(measurements) {
  const fastest = find(measurements, { row: "read bandwidth", of: undefined });
  if (fastest?.median === undefined) return [];
  const others = measurements.filter(({ row }) => row === "slower reading");
  const slower = others.map(({ streams, median }) => `${median.toFixed(1)} by ${streams}`);
  return [
    `memory-bandwidth bound: ${spread(fastest)} GB/s, ${fastest.threads} threads that only read, ` +
      `${fastest.streams} streams each, side by side (${slower.join(", ")})`,
  ];
}

/** Rows by precision and figure, with a column for each contestant. */
function modelTable(measurements, shape, { precisions, layers }) {
  const ofShape = measurements.filter((one) => one.shape === shape && one.label !== undefined);
  const labels = [...new Set(ofShape.map(({ label }) => label))].sort(byKind);
  if (labels.length === 0) return "";
  const rows = precisions.flatMap((precision) => {
    const ofCell = ofShape.filter((one) => one.precision === precision);
    const kinds = new Map(ofCell.filter(({ row }) => shown(row)).map((one) => [rowTitle(one), one]));
    return [...kinds].map(([title, { row, context, prompt, load }]) => {
      const cells = labels.map((label) => {
        const what = {
          row,
          label,
          ...(context && { context }),
          ...(prompt && { prompt }),
          ...(load && { load }),
        };
        return cellText(find(ofCell, what));
      });
      return [precision, title, bound(measurements, { shape, precision, row, context }), ...cells];
    });
  });
  const titles = ["", "", "bound", ...labels.map((label) => (/^\d/.test(label) ? `ranks ${label}` : label))];
  return `${shape}${layers === undefined ? "" : `, ${layers} layers of it`}: medians (middle half)\n${grid([titles, ...rows])}`;
}

function shown(row) {
  return ["warm-up", "decode", "prefill", "load", "peak memory, loaded"].includes(row);
}

function rowTitle({ row, context, prompt, load, tokens }) {
  if (row === "warm-up") return `first ${tokens} tokens, ms each`;
  if (row === "decode") return `decode at ${context}, ms`;
  if (row === "prefill") return `prefill of ${prompt}, ms`;
  if (row === "load") return `${load} load, ms`;
  return "peak memory, MB";
}

/** Ringrank by number of ranks, then the others. */
function byKind(a, b) {
  const [first, second] = [a, b].map((label) => (/^\d/.test(label) ? Number.parseInt(label, 10) : 1000));
  return first - second || a.localeCompare(b);
}

/** The lower bound of a decode step: its weights and its cache, read once. */
function bound(measurements, { shape, precision, row, context }) {
  const bandwidth = find(measurements, { row: "read bandwidth", of: "decode", context, shape, precision });
  const weights = find(measurements, { row: "weights read per token", shape, precision });
  const cache = find(measurements, { row: "cache", context, shape, precision });
  if (row !== "decode" || [bandwidth, weights, cache].some((one) => one?.median === undefined)) return "";
  return figure((weights.median + cache.median) / bandwidth.median / 1e6);
}

function cellText(measurement) {
  if (measurement === undefined) return "–";
  if (measurement.failed !== undefined) return "failed";
  if (measurement.skipped !== undefined) return "skipped";
  const { median, low, high, samples, unit } = measurement;
  const scale = unit === "bytes" ? 1e-6 : 1;
  if (samples === 1) return figure(scale * median);
  return spread({ median: scale * median, low: scale * low, high: scale * high });
}

function spread({ median, low, high }) {
  return `${figure(median)} (${figure(low)}–${figure(high)})`;
}

/**
 * The figure that the target judges, next to that of whole steps, whose other work varies by more than the cost of the
 * cache.
 */
function cacheTable(measurements, { shapes, precisions, contexts, mainRanks }) {
  const [from, ...longer] = contexts;
  const rows = shapes.flatMap((shape) =>
    precisions.flatMap((precision) =>
      longer.map((to) => {
        const cell = { shape, precision, label: `${mainRanks} × 1` };
        const reads = ["cache work", "decode"].map((row) =>
          readsText(cacheReads(cell, { from, to, row })(measurements)),
        );
        const work = [from, to].map((context) =>
          cellText(find(measurements, { row: "cache work", context, ...cell })),
        );
        return [shape, precision, ...work, ...reads];
      }),
    ),
  );
  if (rows.every((row) => row.slice(2).every((cell) => cell === "–"))) return "";
  const titles = [
    "",
    "",
    ...contexts.map((context) => `at ${context}, ms`),
    "in reads of it",
    "by whole steps",
  ];
  return `what the cache costs a step, the longest of ranks: medians (middle half)\n${grid([titles, ...rows])}`;
}

function readsText({ value, low, high }) {
  return value === undefined ? "–" : `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function fixedTable(measurements) {
  const rows = measurements.filter(({ row }) => row === "fixed cost of a layer");
  if (rows.length === 0) return "";
  const cells = rows.map((one) => [
    one.label,
    cellText(one),
    cellText(find(measurements, { row: "fixed cost of a step", label: one.label })),
  ]);
  return `fixed cost of decoding, µs: medians (middle half)\n${grid([["", "a layer", "the rest of a step"], ...cells])}`;
}

function collectivesTable(measurements) {
  const rows = measurements.filter(({ row }) => row === "all-reduce");
  if (rows.length === 0) return "";
  const cells = rows.map((one) => {
    const { ranks, bytes } = one;
    const copy = find(measurements, { row: "copy", ranks, bytes });
    const speed = one.median === undefined ? "" : figure(bytes / one.median / 1000);
    return [String(ranks), String(bytes), cellText(one), copy === undefined ? "–" : cellText(copy), speed];
  });
  const titles = ["ranks", "bytes", "all-reduce, µs", "copy, µs", "GB/s of the array"];
  return `all-reduce of float32, from local array to local array: medians (middle half)\n${grid([titles, ...cells])}`;
}

function perplexityTable(measurements) {
  const rows = measurements.filter(({ row }) => row === "perplexity");
  if (rows.length === 0) return "";
  const difference = (cell) => {
    const above = find(measurements, { row: "perplexity above float32", ...cell });
    return above?.median === undefined ? "" : `${above.median >= 0 ? "+" : ""}${above.median.toFixed(2)}%`;
  };
  const cells = rows.map(({ precision, atOnce, wire, median }) => [
    wire === undefined ? precision : `float32, sums in ${wire}`,
    atOnce === undefined ? "" : `${atOnce} tokens at once`,
    median === undefined ? "failed" : median.toFixed(4),
    difference(wire === undefined ? { precision, atOnce } : { wire }),
  ]);
  return `perplexity of the embedded model\n${grid([["", "", "", "against float32"], ...cells])}`;
}

function targetTable(targets, { layers }) {
  if (targets.length === 0) return "";
  const rows = targets.map(({ name, shape, precision, target, measured, low, high, met, why }) => [
    met === undefined ? "not measured" : met ? "met" : "missed",
    [name, [shape, precision].filter(Boolean).join(" ")].filter(Boolean).join(", "),
    measured === undefined
      ? why.slice(0, 80)
      : `${measured.toFixed(2)}${low === undefined ? "" : ` (${low.toFixed(2)}–${high.toFixed(2)})`}`,
    "atLeast" in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`,
  ]);
  const count = (wanted) => targets.filter(({ met }) => met === wanted).length;
  const aside = layers === undefined ? "" : "; they are meant for whole models and prompts of 512";
  const counts = `${count(true)} met, ${count(false)} missed, ${count(undefined)} not measured`;
  return `targets: ${counts}${aside}\n${grid(rows)}`;
}

function notMeasured(measurements) {
  const lines = measurements
    .filter(({ failed, skipped }) => failed !== undefined || skipped !== undefined)
    .map(({ row, shape, precision, label, context, failed, skipped }) => {
      const what = [shape, precision, label, row, context].filter((part) => part !== undefined).join(" ");
      return `  ${what}: ${failed ?? skipped}`;
    });
  return lines.length === 0 ? "" : `not measured:\n${lines.join("\n")}`;
}

function figure(value) {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(0);
}
