/**
 * Everything that crosses the thread boundary between the coordinator and a rank, in both directions. The coordinator
 * sends every rank the same requests in the same order; the ranks then meet in their collectives.
 *
 * - {@link RankControl} is called through comlink, one call at a time.
 * - Steps have a port of their own, because a comlink call costs about as much as a step of a small model. The
 *   coordinator sends a {@link StepRequest}, possibly before the previous one has been answered; a {@link StepAnswer}
 *   comes back.
 *
 * Errors cross as `RingrankErrorData`.
 */
import type { MessagePort } from "node:worker_threads";
import type { RingrankErrorData } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";

/**
 * The calls that a rank serves besides steps. The coordinator does not overlap these calls with each other or with
 * steps.
 */
export interface RankService {
  /**
   * Reserves memory ahead of {@link load}: for reading, and for the rank's kernels to multiply by this many bytes of
   * weights.
   *
   * @param matrixBytes 0: only for reading
   * @returns what prevents it, or undefined if nothing does
   */
  reserve(matrixBytes: number): Promise<RingrankErrorData | undefined>;
  /** Reads this rank's shard and opens its sessions. Reports progress a few dozen times, at last with all bytes. */
  load(
    program: RankProgram,
    options: RankOptions,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<LoadReport>;
  /**
   * Runs an entry on the given inputs, after the entries that fill its caches. The caches start empty and are not kept.
   */
  run(request: RunRequest): Promise<RunResult>;
  /** Releases every session, then resolves. The thread ends afterwards. */
  release(): Promise<void>;
}

/** The same, as it is called from another thread. */
export interface RankControl extends Omit<RankService, "load"> {
  /**
   * @param progress {@link LoadProgress} is posted on it. It must be transferred, and is closed when loading ends; a
   *   last report may arrive after the result, which comes through another port.
   */
  load(program: RankProgram, options: RankOptions, progress?: MessagePort): Promise<LoadReport>;
}

export interface RankOptions {
  /** Number of threads of each session. With 1, kernels run on the rank's own thread. */
  readonly threads: number;
  /**
   * `ScratchFolder.path`, for all ranks. Without it, weights are passed to sessions in memory, which takes more of it.
   */
  readonly scratchFolder?: string | undefined;
  /** Where this rank's quantized weights are or will be cached. Absent if they are not. */
  readonly cachedShard?: CachedShardPlace | undefined;
}

/** The place of a rank's entry in the cache on disk. */
export interface CachedShardPlace {
  /** The entry, which may not exist yet. */
  readonly entry: string;
  /** A folder that does not exist yet, in which a new entry may be written. Absent if none may be created. */
  readonly staging?: string | undefined;
}

export interface LoadProgress {
  readonly rank: number;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
}

export interface LoadReport {
  /** Bytes of the parameters that it holds, in the types it computes in, as the policy predicts them. */
  readonly bytesKept: number;
  /** Bytes that they take in memory: products of floats read matrices that are stored as bfloat16 as they are. */
  readonly bytesInMemory: number;
  /** Bytes read from files. More than the shard if small runs were coalesced. */
  readonly bytesRead: number;
  readonly sessions: number;
  /** Why its quantized weights could not be cached for the next load, such as a full disk. */
  readonly cacheObstacle?: string | undefined;
}

/** How the tokens of a sequence are chosen. All ranks compute the same choice. */
export interface SamplingParameters {
  /** 0 means greedy. */
  readonly temperature: number;
  /** 0 means no limit. */
  readonly topK: number;
  /** 1 means no limit. */
  readonly topP: number;
  /** 0 means no limit. */
  readonly minP: number;
  /** 1 means none. Applied to every token of the prompt and to every generated token. */
  readonly repetitionPenalty: number;
  /** No n-gram of this many tokens occurs twice in the prompt and the generated tokens. 0 means no limit. */
  readonly noRepeatNgramSize: number;
  /** At this position, one of these tokens is chosen, whatever the logits. Default: no position. */
  readonly forcedEnd?: { readonly position: number; readonly ids: readonly number[] };
  /** Unsigned 32-bit. Noise is a hash of seed, position and token id. */
  readonly seed: number;
  /** Whether to compute `logprob` (which takes a sum over the vocabulary). */
  readonly logprobs: boolean;
}

/** What a step does, in this order. */
export interface StepRequest {
  /** Sequences that have ended, but whose cache is kept for later ones, until they are closed. */
  readonly keep?: readonly number[];
  /** Sequences whose cache is released, kept or not. */
  readonly close: readonly number[];
  /** New sequences that begin with tokens of kept or open ones. */
  readonly restore?: readonly RestoredSequence[];
  /** Sources that are encoded before the rows are computed, each once and by itself. For encoder–decoders. */
  readonly encode?: readonly StepSource[];
  /** Rows that are computed together. All have the same number of new tokens. */
  readonly rows: readonly StepRow[];
}

/** A new sequence whose first tokens are those of another one, whose cache it copies. */
export interface RestoredSequence {
  readonly sequence: number;
  /** The other sequence, kept or open. */
  readonly from: number;
  /** How many tokens; `restorableTokens` says which numbers are possible. */
  readonly tokens: number;
}

/** The source of a sequence of an encoder–decoder. It fills the caches of cross-attention, before the first row. */
export interface StepSource {
  readonly sequence: number;
  readonly ids: readonly number[];
}

export type StepRow = GivenTokens | FollowingToken;

export interface GivenTokens {
  /** The sequence that this row extends. An unknown sequence starts empty. */
  readonly sequence: number;
  /** New tokens, at the positions after the sequence's existing tokens. */
  readonly ids: readonly number[];
  /**
   * `token`: choose the next token from the logits of the last new token. `logits`: return the logits of every new
   * token. `nothing`: only extend the cache (for the earlier chunks of a prompt).
   */
  readonly want: "token" | "logits" | "nothing";
  /** Of the whole prompt, if these tokens are a part of it after which more comes. */
  readonly promptLength?: number;
  /** Required if `want` is `token`. */
  readonly sampling?: SamplingParameters;
  /** Tokens that end the sequence. After one of them, a {@link FollowingToken} is not computed. Default: none. */
  readonly endIds?: readonly number[];
}

/**
 * Extends the sequence by the token chosen last, and chooses the next one in the same way. All ranks know that token,
 * so the coordinator can request this before it knows the token itself. If the token has ended the sequence, nothing is
 * computed and the row's result is empty.
 */
export interface FollowingToken {
  readonly sequence: number;
  readonly want: "next";
}

/** Rank 0 answers every step, in order. The other ranks only report failures. */
export type StepAnswer = { readonly result: StepResult } | { readonly error: RingrankErrorData };

export interface StepResult {
  /** By row. */
  readonly rows: readonly StepRowResult[];
  readonly counters: StepCounters;
}

export interface StepRowResult {
  readonly token?: number;
  /** The log-softmax of the raw logits at the chosen token. NaN unless requested. */
  readonly logprob?: number;
  /** `[new tokens, vocabulary]`, row-major. */
  readonly logits?: Float32Array;
}

/**
 * Counts since loading, as of the last step of generations and sequences. `run` and `embed` take no steps: only their
 * collectives are counted, and only once a step follows.
 */
export interface StepCounters {
  readonly steps: number;
  /** Milliseconds that rank 0 has spent in steps, including its waits for other ranks. */
  readonly milliseconds: number;
  /** New tokens that entered the graph, summed over steps and rows. */
  readonly tokens: number;
  /** Source tokens that an encoder has read, summed over sequences. */
  readonly sourceTokens: number;
  /**
   * Experts of rank 0 that any row was routed to, summed over layers and steps. The weights of the other experts are
   * not read.
   */
  readonly experts: number;
  readonly collectives: number;
  /** Bytes of one rank's operands, summed over collectives. */
  readonly collectiveBytes: number;
}

export interface RunRequest {
  readonly entry: string;
  /**
   * By graph input, including the inputs of entries that fill the entry's caches. Cache inputs, positions and rows that
   * are omitted get their empty values.
   */
  readonly inputs: Readonly<Record<string, TensorMessage>>;
  /**
   * Names of the outputs to return, of the entry or of one that fills its caches. Cache outputs cannot be requested.
   */
  readonly outputs: readonly string[];
  /** Whether `logits` has every position, or only the last one of each sequence. */
  readonly logits: "all" | "last";
}

export interface RunResult {
  /** Whole tensors. Empty on every rank except rank 0. */
  readonly outputs: Readonly<Record<string, TensorMessage>>;
}

export interface TensorMessage {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}
