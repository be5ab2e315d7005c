// The overhead of a layer beyond its arithmetic: decode steps of a model that is so small that its weights do not matter.
//
// Two models, of 24 and of 4 layers, take turns; a layer's cost is the difference of their steps divided by the 20
// layers between them, so that the constant cost of a step (sampling, the caller's thread) is excluded; it is printed
// separately. The rivals are one ONNX Runtime session with two threads, and with one, on the same graph. Each runs in a
// separate process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeOnnx } from "@ringrank/model";
import { configOf } from "./checkpoints/shapes.mjs";
import { syntheticCheckpoint } from "./checkpoints/synthetic.mjs";
import { ContestantProcess } from "./measure/contestant-process.mjs";
import { summary } from "./measure/statistics.mjs";
import { takeTurns } from "./measure/take-turns.mjs";
import { unsplitGraph } from "./onnx/unsplit-graph.mjs";
import { stepOptionsOrExit } from "./options.mjs";

const help = `Measures what a decode layer costs besides its arithmetic, and what the rest of a step costs, on ranks and in one ONNX
Runtime session. Defaults are shown.

  node bench/fixed-cost.mjs [options]

  --ranks 1,2    numbers of ranks, one after another
  --turns 15     turns of each contestant
  --tokens 64    tokens in a turn
  --help         print this text
`;

const depths = { deep: 24, shallow: 4 };
const context = 32;

/**
 * The number of layers that a model runs before its first turn. V8 compiles frequently executed code: with equal token
 * counts, the shallow model was slower per layer than the deep one for hundreds of tokens more, and the difference far
 * too small.
 */
const layersAhead = 7200;
const tokensAtOnce = 100;

/**
 * Samples in µs by contestant ("ranks × threads" or "session × threads"): of a decode layer, of a step of 24 layers,
 * and of the rest of the step without its layers.
 */
export async function fixedCost({ ranks = [1, 2], threads = [1, 2], turns = 15, tokens = 64 } = {}) {
  const work = mkdtempSync(join(tmpdir(), "ringrank-fixed-"));
  const contestants = new Map();
  const labels = [...ranks.map((count) => `${count} × 1`), ...threads.map((count) => `session × ${count}`)];
  const open = async (label, depth, module, options) => {
    const contestant = new ContestantProcess(work);
    contestants.set(`${label}, ${depth}`, contestant);
    await contestant.call("open", [new URL(module, import.meta.url).href, options]);
    for (let layers = 0; layers < layersAhead; layers += depths[depth] * tokensAtOnce) {
      await contestant.call("decode", [context, tokensAtOnce]);
    }
  };
  try {
    for (const [depth, layers] of Object.entries(depths)) {
      const checkpoint = await syntheticCheckpoint(configOf("fixed", layers), work);
      const onnx = join(work, `onnx-${layers}`);
      await writeOnnx(unsplitGraph(checkpoint, "float32"), onnx);
      for (const count of ranks) {
        const options = { checkpoint, load: { ranks: count } };
        await open(`${count} × 1`, depth, "./contestants/ringrank.mjs", options);
      }
      for (const count of threads) {
        const options = { checkpoint, precision: "float32", onnx, threads: count };
        await open(`session × ${count}`, depth, "./contestants/session.mjs", options);
      }
    }
    const outcomes = await takeTurns(contestants, "decode", [context, tokens], { turns, warmUp: 1 });
    const of = (label, depth) => {
      const { samples, error } = outcomes.get(`${label}, ${depth}`);
      if (error !== undefined) throw error;
      return samples.map((milliseconds) => 1000 * milliseconds);
    };
    return labels.map((label) => {
      const step = of(label, "deep");
      const shallow = of(label, "shallow");
      const layer = step.map((time, turn) => (time - shallow[turn]) / (depths.deep - depths.shallow));
      return { label, layer, step, rest: step.map((time, turn) => time - depths.deep * layer[turn]) };
    });
  } finally {
    for (const contestant of contestants.values()) contestant.end();
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const rows = await fixedCost(stepOptionsOrExit(help, { ranks: "1,2", turns: "15", tokens: "64" }));
  const figure = (samples) => {
    const { median, low, high } = summary(samples);
    return `${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`.padEnd(20);
  };
  console.log("µs, medians (middle half)");
  console.log(`${" ".repeat(14)} a layer              the rest of a step   a step of 24 layers`);
  for (const { label, layer, rest, step } of rows) {
    console.log(`${label.padEnd(14)} ${figure(layer)} ${figure(rest)} ${figure(step)}`.trimEnd());
  }
}
