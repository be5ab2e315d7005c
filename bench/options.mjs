import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { configOf, realShapes } from "./checkpoints/shapes.mjs";

export const precisions = ["float32", "int8", "int4"];
const parts = ["bandwidth", "fixed", "collectives", "perplexity", "models"];

/** The directory of checkpoints and exports unless --cache names another. */
export const defaultCache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ringrank-bench");

export const help = `npm run bench [-- options]

Compares Ringrank with one ONNX Runtime session, transformers.js and llama.cpp on models of real shapes with random
weights, prints tables, and writes all figures to a JSON file as it goes. It takes about 40 minutes on two cores, or
under 3 with --quick. Run nothing else at the same time. LIST is separated by commas; defaults are in parentheses.

  --shape LIST      ${realShapes.join(", ")} (all); also fixed, of negligible size
  --layers N        only the first N layers of each model
  --precision LIST  ${precisions.join(", ")} (all)
  --ranks LIST      numbers of ranks (1,2,4,8; with --quick 1,2,4)
  --minutes N       time limit (40; with --quick 3): once it is exceeded, whatever no target needs is skipped
  --quick           one shape with 4 layers, in float32 and int4, with fewer turns
  --only LIST       ${parts.join(", ")} (all)
  --huge-pages      use huge pages for Ringrank's ranks and for the measurement of bandwidth
  --no-peers        skip transformers.js and llama.cpp, which are otherwise installed into bench/peers
  --json FILE       where to write the figures (bench-results.json)
  --cache DIR       where to keep checkpoints and exports for the next run, up to 12 GB
  --assert          exit with 1 if a measured target is missed, not only if a measurement fails
  --scaling         compare ranks × threads with one session × threads, on a machine with many cores; for its own
                    options, see --scaling --help
  --help            print this text
`;

/** @throws with a message for the user */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      shape: { type: "string" },
      layers: { type: "string" },
      precision: { type: "string" },
      ranks: { type: "string" },
      minutes: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      "huge-pages": { type: "boolean", default: false },
      "no-peers": { type: "boolean", default: false },
      json: { type: "string", default: "bench-results.json" },
      cache: { type: "string", default: defaultCache },
      assert: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const layers = values.layers === undefined ? (quick ? 4 : undefined) : positive("--layers", values.layers);
  const shapes = values.shape?.split(",") ?? (quick ? [realShapes[0]] : realShapes);
  for (const shape of shapes) configOf(shape, layers);
  const cores = availableParallelism();
  const ranks = (values.ranks ?? (quick ? "1,2,4" : "1,2,4,8"))
    .split(",")
    .map((text) => positive("--ranks", text));
  return {
    quick,
    shapes,
    layers,
    precisions: listOf("--precision", values.precision ?? (quick ? "float32,int4" : undefined), precisions),
    ranks,
    /** The time limit for the whole run; parts that no target requires are skipped if it is exceeded. */
    minutes: values.minutes === undefined ? (quick ? 3 : 40) : positive("--minutes", values.minutes),
    /** For every contestant: one thread per core. */
    threads: cores,
    /**
     * The number of ranks compared with the others: the largest requested one that does not exceed the number of cores.
     */
    mainRanks: ranks.filter((count) => count <= cores).sort((a, b) => b - a)[0] ?? ranks[0],
    contexts: quick ? [128] : [128, 2048],
    prompt: quick ? 256 : 512,
    decodeTurns: quick ? 5 : 7,
    prefillTurns: quick ? 2 : 3,
    loadTurns: quick ? 1 : 3,
    parts: listOf("--only", values.only, parts),
    hugePages: values["huge-pages"],
    peers: !values["no-peers"],
    json: values.json,
    cache: values.cache,
    assert: values.assert,
    help: values.help,
  };
}

/** Parses a script's arguments with `read`. Ends the process if `--help` is among them, or one is wrong. */
export function optionsOrExit(help, read) {
  try {
    const options = read();
    if (!options.help) return options;
    process.stdout.write(help);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`);
    process.exit(2);
  }
}

/**
 * `--ranks`, `--turns` and `--tokens` of a script that times decode steps. Ends the process like {@link optionsOrExit}.
 *
 * @param defaults by option, as on the command line
 */
export function stepOptionsOrExit(help, defaults) {
  return optionsOrExit(help, () => {
    const options = {
      ranks: { type: "string", default: defaults.ranks },
      turns: { type: "string", default: defaults.turns },
      tokens: { type: "string", default: defaults.tokens },
      help: { type: "boolean" },
    };
    const { values } = parseArgs({ options });
    return {
      ranks: values.ranks.split(",").map((text) => positive("--ranks", text)),
      turns: positive("--turns", values.turns),
      tokens: positive("--tokens", values.tokens),
      help: values.help,
    };
  });
}

/** @throws with a message for the user */
export function listOf(option, text, known) {
  const chosen = text?.split(",") ?? known;
  const unknown = chosen.find((one) => !known.includes(one));
  if (unknown !== undefined)
    throw new Error(`${option}: expected some of ${known.join(", ")}, got ${unknown}`);
  return chosen;
}

/** @throws with a message for the user */
export function positive(option, text, least = 1) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  const expected = least === 1 ? "a positive integer" : `an integer of at least ${least}`;
  throw new Error(`${option}: expected ${expected}, got ${text}`);
}
