// Ranks × threads against one session × threads, for a machine of many cores:
//
//   npm run bench -- --scaling          or, on a built checkout, without npm and network:
//   node bench/scaling.mjs [--shape tinyllama-1.1b] [--layers N] [--precision int4,float32] [--json FILE]
//                          [--ranks 1,2,4,8,16] [--threads 1,2,4,8,16] [--minutes 8]
//
// A session of 8 threads (or as many as there are cores) stays open; every other contestant comes beside it in turns,
// each in a process of its own, so that the ratios are of decode steps taken side by side. transformers.js and
// llama.cpp have no part in this.
import { rmSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { configOf } from "./checkpoints/shapes.mjs";
import { syntheticCheckpoint } from "./checkpoints/synthetic.mjs";
import { ContestantProcess } from "./measure/contestant-process.mjs";
import { describeMachine } from "./measure/machine.mjs";
import { readBandwidth } from "./measure/read-bandwidth.mjs";
import { summary } from "./measure/statistics.mjs";
import { takeTurns } from "./measure/take-turns.mjs";
import { warmUp } from "./measure/warm-up.mjs";
import { workFolder } from "./measure/work-folder.mjs";
import { writeModels } from "./onnx/write-models.mjs";
import { grid } from "./report/grid.mjs";
import { Results } from "./results.mjs";
import { decodeTokens } from "./rows/turn-lengths.mjs";

const context = 128;
const turns = 7;

/** What is aimed at on 16 cores: speed as a share of another's. */
const targets = [
  { of: "8 × 1", against: "session × 8", atLeast: 0.9 },
  { of: "16 × 1", against: "8 × 1", atLeast: 1 },
  { of: "2 × 4", against: "session × 8", atLeast: 0.8 },
];

if (process.argv[1] === import.meta.filename) await scaling(process.argv.slice(2));

/** Prints the table of each precision, and writes the figures as they come. */
export async function scaling(args) {
  const options = optionsOf(args);
  const started = performance.now();
  const minutes = () => (performance.now() - started) / 60_000;
  const machine = describeMachine();
  const results = new Results(options.json, { machine, options });
  console.log(
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)}`,
  );
  const bandwidth = await readBandwidth({ threads: machine.cores, passes: 9 });
  results.add({ row: "read bandwidth", threads: machine.cores }, "GB/s", bandwidth);
  console.log(
    `memory-bandwidth bound, ${machine.cores} threads: ${summary(bandwidth).median.toFixed(0)} GB/s`,
  );

  const verdicts = [];
  for (const [index, precision] of options.precisions.entries()) {
    // What is left of the time, shared out among the precisions still to come.
    const until = minutes() + (options.minutes - minutes()) / (options.precisions.length - index);
    const work = workFolder(options.cache);
    try {
      const ratios = await measurePrecision({
        precision,
        options,
        work,
        results,
        inTime: () => minutes() < until,
      });
      verdicts.push(...judge(precision, ratios, machine.cores));
    } catch (error) {
      results.fail({ row: "decode", precision }, error);
      console.log(`${precision}: ${error.message}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  results.finish(verdicts, 60 * minutes());
  for (const { name, precision, target, measured, met, why } of verdicts) {
    const state = met === undefined ? "not measured" : met ? "met" : "missed";
    console.log(`${state}: ${name}, ${precision}: ${measured?.toFixed(2) ?? why} (≥ ${target.atLeast})`);
  }
  console.log(`took ${minutes().toFixed(1)} minutes; figures in ${options.json}`);
  return results.measurements.some((one) => one.failed !== undefined) ? 1 : 0;
}

/** By contestant: its speed as a share of the standing session's, turn by turn. */
async function measurePrecision({ precision, options, work, results, inTime }) {
  const { shape, layers } = options;
  const config = configOf(shape, layers);
  console.error(`${precision}: weights and ONNX`);
  const checkpoint = await syntheticCheckpoint(config, options.cache);
  const { session: onnx } = await writeModels(checkpoint, precision, join(work, "onnx"));
  const cores = availableParallelism();
  const standing = sessionOf(Math.min(8, cores));
  const others = [
    ...options.ranks.filter((ranks) => ranks <= cores).map((ranks) => ranksOf(ranks, 1)),
    ...(cores >= 8 ? [ranksOf(2, 4)] : []),
    ...options.threads
      .filter((threads) => threads <= cores && threads !== standing.threads)
      .map((threads) => sessionOf(threads)),
  ];
  // What the targets ask for comes first, should time run out.
  const asked = targets.flatMap(({ of, against }) => [of, against]);
  others.sort((a, b) => Number(asked.includes(b.label)) - Number(asked.includes(a.label)));

  const rows = [];
  const ratios = new Map();
  const reference = await start(standing);
  try {
    for (const other of others) {
      const what = { row: "decode", context, shape, precision, label: other.label };
      if (!inTime()) {
        results.skip(what, `the ${options.minutes} minutes were over`);
        rows.push([other.label, "skipped: time is over"]);
        continue;
      }
      console.error(`${precision}: ${other.label}`);
      let process;
      try {
        process = await start(other);
        const contestants = new Map([
          [standing.label, reference],
          [other.label, process],
        ]);
        const tokens = Math.max(8, decodeTokens({ shape, layers, precision, turns: turns + 1 }));
        const outcomes = await takeTurns(contestants, "decode", [context, tokens], { turns, warmUp: 1 });
        const [theirs, own] = [standing.label, other.label].map((label) => outcomes.get(label));
        if (theirs.error ?? own.error) throw theirs.error ?? own.error;
        results.add(what, "ms", own.samples);
        results.add({ ...what, label: standing.label, beside: other.label }, "ms", theirs.samples);
        ratios.set(
          other.label,
          own.samples.map((time, turn) => theirs.samples[turn] / time),
        );
        rows.push([other.label, ...[own.samples, theirs.samples, ratios.get(other.label)].map(figure)]);
      } catch (error) {
        results.fail(what, error);
        rows.push([other.label, `failed: ${error.message}`]);
      } finally {
        if (process !== undefined) await close(process, other.label);
      }
    }
  } finally {
    await close(reference, standing.label);
  }
  ratios.set(standing.label, [1]);
  const title = ["ranks × threads", "ms a token", `${standing.label} beside it`, "speed, as a share of it"];
  console.log(`\n${shape} ${precision}, decode at ${context}: medians (middle half)`);
  console.log(grid([title, ...rows.sort(([a], [b]) => byKind(a, b))]));
  return ratios;

  function ranksOf(ranks, threads) {
    const load = { ranks, threadsPerRank: threads, ...(precision !== "float32" && { precision }) };
    return {
      label: `${ranks} × ${threads}`,
      module: "./contestants/ringrank.mjs",
      options: { checkpoint, load },
    };
  }

  function sessionOf(threads) {
    const options = { checkpoint, precision, onnx, threads };
    return { label: `session × ${threads}`, threads, module: "./contestants/session.mjs", options };
  }

  async function start({ module, options }) {
    const process = new ContestantProcess(join(work, "caches"));
    try {
      await process.call("open", [new URL(module, import.meta.url).href, options]);
      await process.call("decode", [warmUp.prompt, warmUp.tokens]);
      return process;
    } catch (error) {
      process.end();
      throw error;
    }
  }

  async function close(process, label) {
    try {
      await process.close();
    } catch (error) {
      results.fail({ row: "close", shape, precision, label }, error);
    }
  }
}

function judge(precision, ratios, cores) {
  return targets.map(({ of, against, atLeast }) => {
    const name = `${of} against ${against}`;
    const [own, other] = [of, against].map((label) => ratios.get(label));
    if (own === undefined || other === undefined) {
      return { name, precision, target: { atLeast }, why: `not measured on ${cores} cores` };
    }
    const measured = summary(own).median / summary(other).median;
    return { name, precision, target: { atLeast }, measured, met: measured >= atLeast };
  });
}

function optionsOf(args) {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: "string", default: "tinyllama-1.1b" },
      layers: { type: "string" },
      precision: { type: "string", default: "int4,float32" },
      ranks: { type: "string", default: "1,2,4,8,16" },
      threads: { type: "string", default: "1,2,4,8,16" },
      minutes: { type: "string", default: "8" },
      json: { type: "string", default: "bench-scaling.json" },
      cache: {
        type: "string",
        default: join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ringrank-bench"),
      },
    },
  });
  const numbers = (text) => text.split(",").map(Number);
  return {
    ...values,
    layers: values.layers === undefined ? undefined : Number(values.layers),
    precisions: values.precision.split(","),
    ranks: numbers(values.ranks),
    threads: numbers(values.threads),
    minutes: Number(values.minutes),
  };
}

/** Ranks by number and threads, then sessions. */
function byKind(a, b) {
  const [first, second] = [a, b].map((label) => (/^\d/.test(label) ? Number.parseInt(label, 10) : 1000));
  return first - second || a.localeCompare(b, "en", { numeric: true });
}

function figure(samples) {
  const { median, low, high } = summary(samples);
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
