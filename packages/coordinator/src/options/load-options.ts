import { type Wire, wires } from "@ringrank/collectives";
import { type RingrankError, requireOptions } from "@ringrank/errors";
import { type ExportDtype, exportDtypes } from "@ringrank/model/serving";
import {
  type ActivationPrecision,
  activationPrecisions,
  type Objective,
  objectives,
  type WeightPrecision,
  weightPrecisions,
} from "@ringrank/policy/decision";
import { defaultCacheDirectory } from "@ringrank/rank-worker";
import { requireHugePages } from "@ringrank/webassembly";
import type { Logger } from "pino";
import { isLog } from "../logger.js";
import type { Prompt } from "../prompts/prompts.js";
import {
  booleanOption,
  choiceOption,
  functionOption,
  numberOption,
  optionError,
  pathOption,
  signalOption,
} from "./check.js";
import { type GenerateOptions, validateGenerateOptions } from "./generate-options.js";

/** How a model is divided. */
export interface PlanOptions {
  /**
   * Which of a directory's ONNX files, named as in transformers.js: `"fp32"` is `model.onnx`, `"q4"` is
   * `model_q4.onnx`, and so on. Default: the checkpoint where there is one, else `"fp32"`, else the only one.
   */
  readonly dtype?: ExportDtype | undefined;
  /** Number of ranks (worker threads that hold a shard each). 1 to 64, default 1. Outside it: `RR_RANKS`. */
  readonly ranks?: number | undefined;
  /**
   * `"memory"` (default): the fewest weight bytes per rank, predicted time deciding between near-equals. `"time"`
   * may replicate what is not worth splitting. Not beside a `policy`, which has been decided: `RR_OPTION`.
   */
  readonly objective?: Objective | undefined;
  /**
   * Most bytes of weights one rank may hold. Minimum 1, default no limit. Where none fits, or a given one does not:
   * `RR_MEMORY`.
   */
  readonly memoryPerRank?: number | undefined;
  /**
   * What matrices of parameters are held and computed in: `"float32"` (default), or whole numbers of 8 or 4 bits in
   * blocks of 32 that share a scale, `"int8"` (1.1 bytes an element) or `"int4"` (0.6).
   */
  readonly precision?: WeightPrecision | undefined;
  /**
   * What is multiplied with quantized matrices. `"int8"` (default where there are any) is fast and rounds: in
   * blocks of 32 elements, or by groups of up to 1024 where ranks multiply more than 16 rows themselves (one thread
   * each, relaxed SIMD: Node 22, or Node 20 with `--experimental-wasm-relaxed-simd`). `"float32"` is exact and slow:
   * about 5 times in int4, 80 times in int8. `"int8"` without quantized matrices: `RR_OPTION`.
   */
  readonly activations?: ActivationPrecision | undefined;
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions extends PlanOptions {
  /**
   * Threads inside each rank's sessions. 1 to 256, default 1, which runs kernels on the rank's own thread. More
   * than one pays only where cores outnumber ranks, and leaves all products to ONNX Runtime.
   */
  readonly threadsPerRank?: number | undefined;
  /**
   * Whether Linux is asked for huge pages, of 2 MB, for the memory that ranks compute in: a token takes less time the
   * more the system's memory is in pieces. That takes the package `koffi` beside Ringrank, since Node has no such call;
   * without it, or on another system: `RR_OPTION`. Default false.
   */
  readonly hugePages?: boolean | undefined;
  /**
   * What partial sums cross between ranks in: `"float32"` (default), which rounds nothing; or `"float16"` or `"int8"`,
   * which round what each rank brings, as over a slow link. Threads have no such link: this only shows what it would do
   * to results. The error is in `@ringrank/collectives`' README.
   */
  readonly wire?: Wire | undefined;
  /**
   * A policy from {@link planModel} or its JSON, in place of one by `objective`. Checked against this graph, `ranks`
   * and precision: `RR_POLICY`.
   */
  readonly policy?: object | undefined;
  /**
   * Whether a model that cannot generate is refused, `RR_NO_GENERATE`, before a weight of it is read. Default false:
   * `generate` refuses.
   */
  readonly requireGenerate?: boolean | undefined;
  /**
   * Whether a model that cannot take text is refused, `RR_NO_TOKENIZER`, before a weight of it is read. Default false:
   * calls with texts refuse.
   */
  readonly requireText?: boolean | undefined;
  /**
   * Whether a model that cannot take messages is refused, `RR_NO_CHAT_TEMPLATE` or `RR_NO_TOKENIZER`, before a weight
   * of it is read. Default false: `generate` refuses. Whether a template that is there can be followed, only the first
   * conversation tells: templates run in a process of their own, which a load does not wait for.
   */
  readonly requireChat?: boolean | undefined;
  /**
   * A call of `generate` that is to come: what that would refuse, for the prompt's sake or an option's, is refused
   * before a weight is read. Such a load waits for the tokenizer, and for a conversation's template. Default none.
   */
  readonly requirePrompt?: RequiredPrompt | undefined;
  /**
   * Called with what loading goes on in spite of, but the caller should know: settings of generation_config.json that
   * have no effect here (`RR_UNSUPPORTED_SETTING`), a cache that cannot be used (`RR_CACHE`), too few addresses for
   * ranks to multiply themselves (`RR_ADDRESS_SPACE`). That is before weights are read; but for a cache that has no
   * room for them, which shows as they are. Default: the logger where its level is `warn` or below, else Node's
   * `process.emitWarning`.
   */
  readonly onWarning?: ((warning: RingrankError) => void) | undefined;
  /**
   * Called as the model is planned and loaded; never after `loadModel` has settled. What it throws, or rejects with, ends
   * the load; likewise {@link onWarning}.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * A rank that makes no progress for this long has failed (`RR_TIMEOUT`). Milliseconds, minimum 100, default
   * 120 000, `Infinity` for never.
   */
  readonly stepTimeoutMs?: number | undefined;
  /**
   * Whether quantized weights, and the plan, are kept on disk, so that the next load of the model with the same options
   * neither plans nor quantizes. Default true; loads without quantized weights keep nothing.
   */
  readonly cache?: boolean | undefined;
  /**
   * Where they are kept. Default: the environment's `RINGRANK_CACHE`, else `ringrank` in the user's cache directory.
   * Not beside `cache: false`, nor is {@link cacheMaxBytes}: `RR_OPTION`.
   */
  readonly cacheDirectory?: string | undefined;
  /**
   * Most bytes there; what was not used for the longest time goes first. Where this model alone takes more, nothing is
   * added, and nothing goes. Minimum 0, default 20 GB (20e9).
   */
  readonly cacheMaxBytes?: number | undefined;
  /** A pino logger. Default: silent, unless the environment's `RINGRANK_LOG` names a level (others are `info`). */
  readonly logger?: Logger | undefined;
  /**
   * A file for a trace of where each rank's time goes, step by step, in the format that Perfetto and Chrome read. It is
   * begun at once, and complete when the model is closed. Default: none is kept.
   */
  readonly trace?: string | undefined;
  /** The rank's worker module, for bundlers that move it. Default: `@ringrank/rank-worker/worker`. */
  readonly workerUrl?: URL | string | undefined;
}

/** What `generate` is going to be given. */
export interface RequiredPrompt {
  readonly prompt: Prompt;
  readonly options?: GenerateOptions | undefined;
}

export interface Progress {
  /** `plan` once at the start, `load` as weights are read, `ready` once at the end. */
  readonly phase: "plan" | "load" | "ready";
  /** The rank that has progressed; undefined for `plan` and `ready`, which concern all. */
  readonly rank: number | undefined;
  /** Weight bytes of that rank (of all ranks for `ready`) read so far. */
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
}

/** {@link LoadOptions} with every default in place. */
export interface CheckedLoadOptions {
  readonly dtype: ExportDtype | undefined;
  readonly ranks: number;
  readonly objective: Objective;
  readonly memoryPerRank: number | undefined;
  readonly threadsPerRank: number;
  readonly precision: WeightPrecision;
  readonly activations: ActivationPrecision | undefined;
  readonly signal: AbortSignal | undefined;
  readonly hugePages: boolean;
  readonly wire: Wire;
  readonly policy: object | undefined;
  readonly requireGenerate: boolean;
  readonly requireText: boolean;
  readonly requireChat: boolean;
  readonly requirePrompt: RequiredPrompt | undefined;
  readonly onWarning: ((warning: RingrankError) => void) | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly stepTimeoutMs: number;
  /** Undefined where nothing is kept. */
  readonly cache: { readonly directory: string; readonly maxBytes: number } | undefined;
  readonly logger: Logger | undefined;
  readonly trace: string | undefined;
  readonly workerUrl: string | undefined;
}

const planKeys = ["dtype", "ranks", "objective", "memoryPerRank", "precision", "activations", "signal"];
const loadKeys = [
  ...planKeys,
  "threadsPerRank",
  "hugePages",
  "wire",
  "policy",
  "requireGenerate",
  "requireText",
  "requireChat",
  "requirePrompt",
  "onWarning",
  "onProgress",
  "stepTimeoutMs",
  "cache",
  "cacheDirectory",
  "cacheMaxBytes",
  "logger",
  "trace",
  "workerUrl",
];

/** @throws RR_RANKS, RR_OPTION */
export function checkPlanOptions(options: PlanOptions): CheckedLoadOptions {
  requireOptions(options, planKeys);
  return checkKnown(options);
}

/** @throws RR_RANKS, RR_OPTION */
export function checkLoadOptions(options: LoadOptions): CheckedLoadOptions {
  requireOptions(options, loadKeys);
  return checkKnown(options);
}

function checkKnown(options: LoadOptions): CheckedLoadOptions {
  const { policy, logger } = options;
  if (policy !== undefined && (typeof policy !== "object" || policy === null)) {
    throw optionError("policy", "a PartitionPolicy or its JSON", policy);
  }
  if (policy !== undefined) refuseBeside("a policy", "objective", options.objective);
  if (logger !== undefined && !isLog(logger)) throw optionError("logger", "a pino logger", logger);
  const precision = choiceOption("precision", options.precision, weightPrecisions, "float32");
  const activations =
    options.activations === undefined
      ? undefined
      : choiceOption("activations", options.activations, activationPrecisions, "float32");
  if (precision === "float32" && activations === "int8") {
    throw optionError(
      "activations",
      'float32, where precision is "float32"; int8 needs quantized weights',
      activations,
    );
  }
  return {
    precision,
    activations,
    dtype:
      options.dtype === undefined ? undefined : choiceOption("dtype", options.dtype, exportDtypes, "fp32"),
    ranks: numberOption(
      "ranks",
      options.ranks,
      { minimum: 1, maximum: 64, integer: true, code: "RR_RANKS" },
      1,
    ),
    objective: choiceOption("objective", options.objective, objectives, "memory"),
    memoryPerRank: numberOption(
      "memoryPerRank",
      options.memoryPerRank,
      { minimum: 1, unit: "bytes", infinity: true },
      undefined,
    ),
    threadsPerRank: numberOption(
      "threadsPerRank",
      options.threadsPerRank,
      { minimum: 1, maximum: 256, integer: true },
      1,
    ),
    stepTimeoutMs: numberOption(
      "stepTimeoutMs",
      options.stepTimeoutMs,
      { minimum: 100, unit: "milliseconds", infinity: true },
      120_000,
    ),
    requireGenerate: booleanOption("requireGenerate", options.requireGenerate, false),
    requireText: booleanOption("requireText", options.requireText, false),
    requireChat: booleanOption("requireChat", options.requireChat, false),
    requirePrompt: requirePromptOption(options.requirePrompt),
    onWarning: functionOption("onWarning", options.onWarning, "a warning"),
    onProgress: functionOption("onProgress", options.onProgress, "progress"),
    signal: signalOption(options.signal),
    hugePages: hugePagesOption(options.hugePages),
    wire: choiceOption("wire", options.wire, wires, "float32"),
    cache: cacheOption(options),
    policy,
    logger,
    trace: options.trace === undefined ? undefined : pathOption("trace", options.trace, "the path of a file"),
    workerUrl: workerUrlOption(options.workerUrl),
  };
}

function hugePagesOption(value: boolean | undefined): boolean {
  const hugePages = booleanOption("hugePages", value, false);
  if (hugePages) requireHugePages();
  return hugePages;
}

function requirePromptOption(value: RequiredPrompt | undefined): RequiredPrompt | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || !("prompt" in value)) {
    throw optionError("requirePrompt", "{ prompt, options }", value);
  }
  requireOptions(value, ["prompt", "options"]);
  if (value.options !== undefined) validateGenerateOptions(value.options);
  return value;
}

function cacheOption({
  cache = true,
  cacheDirectory,
  cacheMaxBytes,
}: LoadOptions): CheckedLoadOptions["cache"] {
  if (typeof cache !== "boolean") throw optionError("cache", "true or false", cache);
  if (cacheDirectory !== undefined) pathOption("cacheDirectory", cacheDirectory);
  if (!cache) {
    refuseBeside("cache: false", "cacheDirectory", cacheDirectory);
    refuseBeside("cache: false", "cacheMaxBytes", cacheMaxBytes);
  }
  const bounds = { minimum: 0, unit: "bytes", infinity: true };
  const maxBytes = numberOption("cacheMaxBytes", cacheMaxBytes, bounds, 20e9);
  return cache ? { directory: cacheDirectory ?? defaultCacheDirectory(), maxBytes } : undefined;
}

/** Refuses an option that another one leaves without effect. */
function refuseBeside(other: string, name: string, value: unknown): void {
  if (value !== undefined) throw optionError(name, `nothing beside ${other}`, value);
}

function workerUrlOption(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const href = value instanceof URL ? value.href : value;
  if (typeof href === "string" && href.startsWith("file:")) return href;
  throw optionError("workerUrl", "a file: URL", value);
}
