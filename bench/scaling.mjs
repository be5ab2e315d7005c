// Ranks × threads against one session × threads, for a machine of many cores: `npm run bench -- --scaling`, or, on a
// built checkout, without npm and network, `node bench/scaling.mjs`.
//
// A session of 8 threads (or one per core, if there are fewer) stays open; the others take turns with it, each in a
// separate process. Contestants that a target compares run together, so that all ratios are of decode steps measured in
// the same turns. transformers.js and llama.cpp are not measured here.
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { configOf } from "./checkpoints/shapes.mjs";
import { syntheticCheckpoint } from "./checkpoints/synthetic.mjs";
import { ContestantProcess } from "./measure/contestant-process.mjs";
import { holdFragments } from "./measure/fragments.mjs";
import { describeMachine } from "./measure/machine.mjs";
import { readBandwidth } from "./measure/read-bandwidth.mjs";
import { summary } from "./measure/statistics.mjs";
import { takeTurns } from "./measure/take-turns.mjs";
import { firstTokens, warmUp, warmUpTokens } from "./measure/warm-up.mjs";
import { workFolder } from "./measure/work-folder.mjs";
import { writeModels } from "./onnx/write-models.mjs";
import { defaultCache, listOf, positive, precisions } from "./options.mjs";
import { speedRatios } from "./report/find.mjs";
import { grid } from "./report/grid.mjs";
import { turnRatio } from "./report/outcomes.mjs";
import { Results } from "./results.mjs";

const help = `npm run bench -- --scaling [options], or node bench/scaling.mjs [options]

Compares decoding by ranks × threads with one ONNX Runtime session × threads, on a machine with many cores. Defaults are
in parentheses.

  --shape NAME      shape of the model (tinyllama-1.1b)
  --layers N        only the first N layers of the model
  --precision LIST  (int4,float32)
  --ranks LIST      numbers of ranks, of one thread each (1,2,4,8,16)
  --threads LIST    numbers of a session's threads (1,2,4,8,16)
  --warm-up N       tokens before the first turn (1000), for up to 20 seconds. Until then, V8 compiles for each rank, on
                    cores that the ranks need
  --minutes N       time limit (8): once it is exceeded, whatever no target needs is skipped
  --json FILE       where to write the figures (bench-scaling.json)
  --cache DIR       where to keep the checkpoint and exports, up to 7 GB
  --help            print this text
`;

const context = 128;

/**
 * Turns, and tokens in each. The threads of many ranks sleep between turns, and while the system spreads them over the
 * cores again, the first few tokens of a turn take up to twice as long as later ones: of 16 ranks on 16 cores, 12.7 ms
 * with turns of 8 tokens, 9.4 with 20, and 7.3 with 60.
 */
const turns = 9;
const tokens = 60;

/** The targets on 16 cores: speed relative to another contestant's. */
const targets = [
  { of: "8 × 1", against: "session × 8", atLeast: 0.9 },
  { of: "16 × 1", against: "8 × 1", atLeast: 1 },
  { of: "2 × 4", against: "session × 8", atLeast: 0.8 },
];

if (process.argv[1] === import.meta.filename) process.exit(await scaling(process.argv.slice(2)));

/**
 * Prints the table of each precision, and writes the figures as they are measured.
 *
 * @returns the exit code of the process
 */
export async function scaling(args) {
  let options;
  try {
    options = optionsOf(args);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const started = performance.now();
  const minutes = () => (performance.now() - started) / 60_000;
  const machine = describeMachine();
  const results = new Results(options.json, { machine, options });
  console.log(
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadBefore.toFixed(1)}`,
  );
  const [{ streams, samples: bandwidth }] = await readBandwidth({ threads: machine.cores, passes: 9 });
  results.add({ row: "read bandwidth", threads: machine.cores, streams }, "GB/s", bandwidth);
  console.log(
    `memory-bandwidth bound: ${figure(bandwidth)} GB/s, ${machine.cores} threads that only read, ` +
      `${streams} streams each`,
  );

  for (const [index, precision] of options.precisions.entries()) {
    // The remaining time, divided among the remaining precisions.
    const until = minutes() + (options.minutes - minutes()) / (options.precisions.length - index);
    const work = workFolder(options.cache);
    try {
      const inTime = () => minutes() < until;
      await measurePrecision({ precision, options, work, results, inTime });
    } catch (error) {
      results.fail({ row: "decode", precision }, error);
      console.log(`${precision}: ${error.message}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const verdicts = options.precisions.flatMap((precision) => judge(results.measurements, options, precision));
  results.finish(verdicts, 60 * minutes());
  for (const { name, precision, target, measured, low, high, met, why } of verdicts) {
    const state = met === undefined ? "not measured" : met ? "met" : "missed";
    const ratio = why ?? `${measured.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
    console.log(`${state}: ${name}, ${precision}: ${ratio} (≥ ${target.atLeast})`);
  }
  console.log(`took ${minutes().toFixed(1)} minutes; figures in ${options.json}`);
  return results.measurements.some((one) => one.failed !== undefined) ? 1 : 0;
}

/** Decodes with all contestants, one round of turns after another, and prints the table. */
async function measurePrecision({ precision, options, work, results, inTime }) {
  const { shape, layers } = options;
  const config = configOf(shape, layers);
  console.error(`${precision}: weights and ONNX`);
  const checkpoint = await syntheticCheckpoint(config, options.cache);
  const { session: onnx } = await writeModels(checkpoint, precision, join(work, "onnx"));
  const cores = availableParallelism();
  const standing = sessionOf(Math.min(8, cores));
  const what = { row: "decode", context, shape, precision };
  const wanted = [
    ...options.ranks.map((ranks) => ranksOf(ranks, 1)),
    ranksOf(2, 4),
    ...options.threads.filter((threads) => threads !== standing.threads).map(sessionOf),
  ];
  for (const { label, threads } of wanted) {
    if (threads > cores) results.skip({ ...what, label }, `this machine has ${cores} cores`);
  }
  const fragments = await holdFragments();
  let reference;
  try {
    results.add({ row: "scattered memory taken", shape, precision }, "bytes", [fragments.bytes]);
    reference = await start(standing);
    for (const round of roundsOf(wanted.filter(({ threads }) => threads <= cores))) {
      if (inTime()) await takeRound(round);
      else
        for (const { label } of round)
          results.skip({ ...what, label }, `the ${options.minutes} minutes were over`);
    }
  } finally {
    if (reference !== undefined) await close(reference, standing.label);
    fragments.release();
  }
  const titles = ["ranks × threads", "ms a token", `${standing.label} beside it`, "speed, as a share of it"];
  const rows = [titles];
  const missing = [];
  for (const { label } of wanted) {
    const beside = speedRatios(results.measurements, what, label, standing.label);
    if (beside.missing !== undefined) missing.push(`\nnot measured: ${beside.missing}`);
    else rows.push([label, ...[...beside.times, beside.ratios].map(figure)]);
  }
  const title = `${shape} ${precision}, decode at ${context}: medians (middle half)`;
  console.log(`\n${title}\n${grid(rows)}${missing.join("")}\n`);

  async function takeRound(round) {
    const contestants = new Map([[standing.label, reference]]);
    try {
      for (const other of round) {
        console.error(`${precision}: ${other.label}`);
        try {
          contestants.set(other.label, await start(other));
        } catch (error) {
          results.fail({ ...what, label: other.label }, error);
        }
      }
      const beside = [...contestants.keys()];
      if (beside.length === 1) return;
      const outcomes = await takeTurns(contestants, "decode", [context, tokens], { turns, warmUp: 1 });
      for (const [label, { samples, error }] of outcomes) {
        if (error === undefined) results.add({ ...what, label, beside }, "ms", samples);
        else results.fail({ ...what, label }, error);
      }
    } finally {
      contestants.delete(standing.label);
      for (const [label, contestant] of contestants) await close(contestant, label);
    }
  }

  function ranksOf(ranks, threadsPerRank) {
    const load = { ranks, threadsPerRank, ...(precision !== "float32" && { precision }) };
    return {
      label: `${ranks} × ${threadsPerRank}`,
      threads: ranks * threadsPerRank,
      module: "./contestants/ringrank.mjs",
      options: { checkpoint, load },
    };
  }

  function sessionOf(threads) {
    const options = { checkpoint, precision, onnx, threads };
    return { label: `session × ${threads}`, threads, module: "./contestants/session.mjs", options };
  }

  async function start({ module, options: given }) {
    const contestant = new ContestantProcess(join(work, "caches"));
    try {
      await contestant.call("open", [new URL(module, import.meta.url).href, given]);
      await warmUp(contestant, options.warmUp);
      return contestant;
    } catch (error) {
      contestant.end();
      throw error;
    }
  }

  async function close(contestant, label) {
    try {
      await contestant.close();
    } catch (error) {
      results.fail({ row: "close", shape, precision, label }, error);
    }
  }
}

/**
 * Contestants that targets compare with each other form one round; those that targets require come first, in case time
 * runs out.
 */
function roundsOf(contestants) {
  const together = targets.filter(({ against }) => !against.startsWith("session"));
  const isTogether = ({ label }) => together.some(({ of, against }) => label === of || label === against);
  const isAsked = ({ label }) => targets.some(({ of }) => label === of);
  const alone = contestants.filter((one) => !isTogether(one));
  alone.sort((a, b) => Number(isAsked(b)) - Number(isAsked(a)));
  return [contestants.filter(isTogether), ...alone.map((one) => [one])].filter(({ length }) => length > 0);
}

function judge(measurements, { shape }, precision) {
  return targets.map(({ of, against, atLeast }) => {
    const outcome = turnRatio({ row: "decode", context, shape, precision }, of, against)(measurements);
    const { value: measured, low, high, why } = outcome;
    const met = measured === undefined ? undefined : measured >= atLeast;
    return {
      name: `${of} against ${against}`,
      precision,
      target: { atLeast },
      measured,
      low,
      high,
      met,
      why,
    };
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
      "warm-up": { type: "string", default: `${warmUpTokens}` },
      minutes: { type: "string", default: "8" },
      json: { type: "string", default: "bench-scaling.json" },
      cache: { type: "string", default: defaultCache },
      help: { type: "boolean", default: false },
    },
  });
  const numbers = (option, text) => text.split(",").map((one) => positive(option, one));
  const layers = values.layers === undefined ? undefined : positive("--layers", values.layers);
  configOf(values.shape, layers);
  return {
    ...values,
    layers,
    precisions: listOf("--precision", values.precision, precisions),
    ranks: numbers("--ranks", values.ranks),
    threads: numbers("--threads", values.threads),
    warmUp: positive("--warm-up", values["warm-up"], firstTokens + 1),
    minutes: positive("--minutes", values.minutes),
  };
}

function figure(samples) {
  const { median, low, high } = summary(samples);
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
