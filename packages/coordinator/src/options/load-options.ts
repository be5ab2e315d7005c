import type { Wire } from "@ringrank/collectives";
import type { RingrankError } from "@ringrank/errors";
import type { ExportDtype } from "@ringrank/model/serving";
import type { ActivationPrecision, Objective, WeightPrecision } from "@ringrank/policy/decision";
import type { Logger } from "pino";
import type { Prompt } from "../prompts/prompts.js";
import type { GenerateOptions } from "./generate-options.js";

/** How a model is divided. */
export interface PlanOptions {
  /**
   * Which of a directory's ONNX files to load, named as in transformers.js: `"fp32"` is `model.onnx`, `"q4"` is
   * `model_q4.onnx`, and so on. Default: the checkpoint if there is one, else `"fp32"`, else the only file.
   */
  readonly dtype?: ExportDtype | undefined;
  /** Number of ranks: worker threads that each hold a shard. 1 to 64, default 1; anything else is `RR_RANKS`. */
  readonly ranks?: number | undefined;
  /**
   * `"memory"` (default) minimizes the weight bytes per rank, and uses predicted time to decide between plans that are
   * nearly equal. `"time"` may replicate what is not worth splitting. It is `RR_OPTION` together with a `policy`, which
   * is already decided.
   */
  readonly objective?: Objective | undefined;
  /**
   * The most bytes of weights that one rank may hold. Minimum 1, default no limit (`Infinity`). If no plan fits, or the
   * given policy does not, that is `RR_MEMORY`.
   */
  readonly memoryPerRank?: number | undefined;
  /**
   * The type that parameter matrices are held and computed in: `"float32"` (default), or integers in blocks of 32 that
   * share a scale, `"int8"` (1.1 bytes per element) or `"int4"` (0.6).
   */
  readonly precision?: WeightPrecision | undefined;
  /**
   * The type that activations are rounded to before they are multiplied with quantized matrices. `"int8"` (the default
   * if there are any) is fast. It rounds in blocks of 32 elements, or in groups of up to 1024 if ranks multiply more
   * than 16 rows themselves (which requires one thread per rank and relaxed SIMD: Node 22, or Node 20 with
   * `--experimental-wasm-relaxed-simd`). `"float32"` does not round, and is about 5 times slower in int4 and 80 times
   * in int8. `"int8"` without quantized matrices is `RR_OPTION`.
   */
  readonly activations?: ActivationPrecision | undefined;
  /** Aborts the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions extends PlanOptions {
  /**
   * Threads inside each rank's sessions. 1 to 256; the default, 1, runs kernels on the rank's own thread. More than one
   * only pays if there are more cores than ranks, and leaves all products to ONNX Runtime. Each of a rank's dozens of
   * sessions then has its own threads; if the system does not allow so many, it is `RR_OPTION`.
   */
  readonly threadsPerRank?: number | undefined;
  /**
   * Whether to ask Linux for huge pages (2 MB) for the memory that ranks compute in. The more fragmented the system's
   * memory is, the more time this saves per token. It requires the package `koffi` next to Ringrank, since Node cannot
   * make the system call itself. Without it, or on another system, it is `RR_OPTION`. Default false.
   */
  readonly hugePages?: boolean | undefined;
  /**
   * How many tokens of ended generations, of all together, the ranks keep in their KV caches. A prompt that begins with
   * the same tokens, such as the next turn of a conversation, is only computed from the first other token on, and so is
   * one that begins with the prompt of a running generation. The least recently used generations are released first.
   * Sums are then added in another order, so a prompt may get other tokens than without what came before it, even with
   * the same seed. An integer, or `Infinity`; the default, 0, keeps none.
   */
  readonly prefixCacheTokens?: number | undefined;
  /**
   * The type in which partial sums cross between ranks: `"float32"` (default), which rounds nothing, or `"float16"` or
   * `"int8"`, which round what each rank contributes, as one would over a slow link. Between threads this saves
   * nothing; it shows what such a link would do to results. The README of `@ringrank/collectives` bounds the error.
   */
  readonly wire?: Wire | undefined;
  /**
   * A policy from `planModel`, or its JSON, instead of one chosen by `objective`. A policy for another graph, number of
   * ranks or precision is `RR_POLICY`.
   */
  readonly policy?: object | undefined;
  /**
   * Whether to refuse a model that cannot generate (`RR_NO_GENERATE`) before any weight is read. Default false: it
   * loads, and `generate` refuses.
   */
  readonly requireGenerate?: boolean | undefined;
  /**
   * Whether to refuse a model that cannot take text (`RR_NO_TOKENIZER`) before any weight is read. Default false: it
   * loads, and calls with text refuse.
   */
  readonly requireText?: boolean | undefined;
  /**
   * Whether to refuse a model that cannot take messages (`RR_NO_CHAT_TEMPLATE` or `RR_NO_TOKENIZER`) before any weight
   * is read. Default false: it loads, and `generate` refuses. Whether an existing template works is only known at the
   * first conversation: templates run in a process of their own, which a load does not wait for.
   */
  readonly requireChat?: boolean | undefined;
  /**
   * A call of `generate` that will follow. Whatever it would refuse because of the prompt or an option is refused
   * before any weight is read. Loading then waits for the tokenizer, and for messages also for the chat template.
   * Default: none.
   */
  readonly requirePrompt?: RequiredPrompt | undefined;
  /**
   * Called with problems that do not stop loading but that the caller should know of: settings of
   * generation_config.json that have no effect here (`RR_UNSUPPORTED_SETTING`), a cache that cannot be used
   * (`RR_CACHE`), too little address space for ranks to compute products themselves (`RR_ADDRESS_SPACE`). It is called
   * before weights are read, except that a cache that is too full is only noticed while they are read. Default: the
   * logger if its level is `warn` or lower, else Node's `process.emitWarning`.
   */
  readonly onWarning?: ((warning: RingrankError) => void) | undefined;
  /**
   * Called while the model is planned and loaded, never after `loadModel` has settled. If it throws or rejects, loading
   * ends with that error; the same holds for {@link onWarning}.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * How long a rank may make no progress before it counts as failed (`RR_TIMEOUT`). In milliseconds; minimum 100,
   * default 120 000; `Infinity` for no limit.
   */
  readonly stepTimeoutMs?: number | undefined;
  /**
   * Whether to keep quantized weights and the plan on disk, so that the next load of the model with the same options
   * neither plans nor quantizes. Default true. Loads without quantized weights keep nothing.
   */
  readonly cache?: boolean | undefined;
  /**
   * The directory in which they are kept. Default: the environment's `RINGRANK_CACHE`, else `ringrank` in the user's
   * cache directory. With `cache: false`, this and {@link cacheMaxBytes} are `RR_OPTION`.
   */
  readonly cacheDirectory?: string | undefined;
  /**
   * The most bytes to keep there. The least recently used entries are removed first. If this model alone takes more,
   * nothing is added or removed. Minimum 0, default 20 GB (20e9); `Infinity` for no limit.
   */
  readonly cacheMaxBytes?: number | undefined;
  /** A pino logger. Default: silent, unless the environment's `RINGRANK_LOG` names a level (others are `info`). */
  readonly logger?: Logger | undefined;
  /**
   * A file for a trace of where each rank's time goes, step by step, in the format that Perfetto and Chrome read. It is
   * created at once, and complete when the model is closed. Default: no trace.
   */
  readonly trace?: string | undefined;
  /** The rank's worker module, for bundlers that move it. Default: `@ringrank/rank-worker/worker`. */
  readonly workerUrl?: URL | string | undefined;
}

/** The arguments of a call of `generate`. */
export interface RequiredPrompt {
  readonly prompt: Prompt;
  readonly options?: GenerateOptions | undefined;
}

export interface Progress {
  /** `plan` once at the start, `load` as weights are read, `ready` once at the end. */
  readonly phase: "plan" | "load" | "ready";
  /** The rank that has made progress; undefined for `plan` and `ready`, which concern all of them. */
  readonly rank: number | undefined;
  /** Weight bytes of that rank (of all ranks for `ready`) read so far. */
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
}
