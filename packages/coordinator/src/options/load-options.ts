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
