// npm run bench: see bench/README.md, or --help.
import { loadavg } from "node:os";
import { parametersOf } from "./checkpoints/shapes.mjs";
import { fixedCost } from "./fixed-cost.mjs";
import { describeMachine } from "./measure/machine.mjs";
import { installPeers } from "./measure/peers.mjs";
import { readBandwidth } from "./measure/read-bandwidth.mjs";
import { summary } from "./measure/statistics.mjs";
import { help, optionsOrExit, readOptions } from "./options.mjs";
import { tables } from "./report/tables.mjs";
import { judge } from "./report/targets.mjs";
import { Results } from "./results.mjs";
import { measureCollectives } from "./rows/collectives.mjs";
import { measureModel } from "./rows/models.mjs";
import { measurePerplexity } from "./rows/perplexity.mjs";
import { scaling } from "./scaling.mjs";

if (process.argv.includes("--scaling")) {
  const args = process.argv.slice(2).filter((argument) => argument !== "--scaling");
  process.exit(await scaling(args));
}
const options = optionsOrExit(help, () => readOptions(process.argv.slice(2)));
const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
const part = (name) => options.parts.includes(name);

let lastProgress;

let peerProblem;
if (part("models") && options.peers) {
  progress("installing transformers.js and llama.cpp into bench/peers, unless they are there");
  peerProblem = installPeers();
  if (peerProblem !== undefined) progress(`${peerProblem}; the others are measured`);
}
const machine = describeMachine();
const results = new Results(options.json, { machine, options });

if (part("bandwidth")) {
  await measure({ row: "read bandwidth" }, async (what) => {
    progress("memory bandwidth");
    const { threads, hugePages } = options;
    const [fastest, ...others] = await readBandwidth({ threads, hugePages });
    results.add({ ...what, threads, streams: fastest.streams }, "GB/s", fastest.samples);
    for (const { streams, samples } of others)
      results.add({ row: "slower reading", threads, streams }, "GB/s", samples);
  });
}
if (part("fixed")) {
  await measure({ row: "fixed cost of a layer" }, async (what) => {
    progress("fixed cost of a decode layer");
    for (const { label, layer, rest } of await fixedCost(options.quick ? { ranks: [2], threads: [2] } : {})) {
      if (summary(layer).median <= 0) {
        results.fail({ ...what, label }, "24 layers took no longer than 4: others use this machine");
        continue;
      }
      results.add({ ...what, label }, "µs", layer);
      results.add({ row: "fixed cost of a step", label }, "µs", rest);
    }
  });
}
if (part("collectives")) await measureCollectives({ ...options, results, progress });
if (part("perplexity")) await measurePerplexity({ ...options, results, progress });
if (part("models")) {
  const cells = options.shapes.flatMap((shape) =>
    options.precisions.map((precision) => ({ shape, precision })),
  );
  for (const [index, cell] of cells.entries()) {
    // The remaining time is divided in proportion to the sizes of the models.
    const left = cells.slice(index).reduce((sum, { shape }) => sum + parametersOf(shape, options.layers), 0);
    const share = parametersOf(cell.shape, options.layers) / left;
    const until = performance.now() + share * Math.max(0, options.minutes * 60_000 - 1000 * seconds());
    progress(
      `${cell.shape} ${cell.precision}, model ${index + 1} of ${cells.length}: until about ${clock(until - started)}`,
    );
    await measure({ row: "models", ...cell }, () =>
      measureModel({ ...cell, options, results, progress, peerProblem, until }),
    );
  }
}

const targets = judge(results.measurements, options);
results.finish(targets, seconds());
const { measurements } = results;
process.stdout.write(`\n${tables({ measurements, machine, targets, options })}\n\n`);
process.stdout.write(
  `took ${(seconds() / 60).toFixed(1)} minutes; load at the end ${loadavg()[0].toFixed(1)}; all figures in ${options.json}\n`,
);
const failed = measurements.some((one) => one.failed !== undefined);
// A target that could not be judged counts as missed.
const missed = options.assert && targets.some(({ met }) => met !== true);
process.exit(failed || missed ? 1 : 0);

/** If a part fails, its row says why, and the others continue. */
async function measure(what, take) {
  try {
    await take(what);
  } catch (error) {
    results.fail(what, error);
  }
}

/** Prints a line for each part that begins; a terminal also shows its progress in the same place. */
function progress(what, detail = "") {
  const at = clock(1000 * seconds());
  const { isTTY } = process.stderr;
  if (what !== lastProgress)
    process.stderr.write(`${isTTY ? "\r\u001b[K" : ""}${at}  ${what}${isTTY ? "" : "\n"}`);
  if (isTTY && detail !== "") process.stderr.write(`\r\u001b[K${at}  ${what}, ${detail}`);
  lastProgress = what;
}

/** `mm:ss` */
function clock(milliseconds) {
  return new Date(milliseconds).toISOString().slice(14, 19);
}
