/**
 * What crosses the thread boundary between the coordinator and a rank, both ways, and nothing else. The coordinator
 * sends every rank the same requests, in the same order; ranks then meet in their collectives.
 *
 * - {@link RankService} is called by comlink, one call at a time.
 * - Steps have a port of their own, since a call by comlink costs about as much as a small model's step: a
 *   {@link StepRequest} goes out, before the one ahead of it has been answered if need be; a {@link StepAnswer} comes
 *   back.
 *
 * Errors cross as `RingrankErrorData`.
 */
import type { RingrankErrorData } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";

/**
 * What a rank serves besides steps. The coordinator overlaps none of these calls, neither with each other nor with
 * steps.
 */
export interface RankService {
  /**
   * Takes, ahead of {@link load}, memory to read with, and memory in which the rank's kernels multiply by so many
   * bytes of weights.
   *
   * @param matrixBytes 0: to read with alone
   * @returns what prevents it; undefined where nothing does
   */
  reserve(matrixBytes: number): Promise<RingrankErrorData | undefined>;
  /**
   * Reads this rank's shard and opens its sessions. `onProgress` is a comlink proxy, and is called some dozens of
   * times, at last with all bytes.
   */
  load(
    program: RankProgram,
    options: RankOptions,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<LoadReport>;
  /** Runs an entry on given inputs, after those that fill its caches, with empty caches that are not kept. */
  run(request: RunRequest): Promise<RunResult>;
  /** Releases every session, then resolves. The thread ends afterwards. */
  release(): Promise<void>;
}

export interface RankOptions {
  /** Threads of each session; 1 runs kernels on the rank's own thread. */
  readonly threads: number;
  /** `ScratchFolder.path`, for all ranks; without it, weights go to sessions through memory, which takes more of it. */
  readonly scratchFolder?: string | undefined;
  /** Where this rank's quantized weights are kept, or are to be; absent where they are not. */
  readonly cachedShard?: CachedShardPlace | undefined;
}

/** Where a rank finds its entry of the cache on disk. */
export interface CachedShardPlace {
  /** The entry, which may not be there yet. */
  readonly entry: string;
  /** A folder that does not exist yet, in which a new entry may grow; absent where none may be made. */
  readonly staging?: string | undefined;
}

export interface LoadProgress {
  readonly rank: number;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
}

export interface LoadReport {
  /** Parameter bytes kept; equals `RankProgram.bytes`. */
  readonly bytesKept: number;
  /** Bytes read from files; more than the shard where small runs were coalesced. */
  readonly bytesRead: number;
  readonly sessions: number;
  /** Why its quantized weights are not kept for the next load, where they should be: a disk that is full, say. */
  readonly cacheObstacle?: string | undefined;
}

/** How one sequence's tokens are chosen. All ranks compute the same choice. */
export interface SamplingParameters {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 means no limit. */
  readonly topK: number;
  /** 1 means no limit. */
  readonly topP: number;
  /** 0 means no limit. */
  readonly minP: number;
  /** 1 means none. Applied to every token of the prompt and of what was generated. */
  readonly repetitionPenalty: number;
  /** No run of this many tokens of the prompt and of what was generated comes twice. 0 means no limit. */
  readonly noRepeatNgramSize: number;
  /** At this position, one of these tokens is chosen, whatever the logits. Default: none is. */
  readonly forcedEnd?: { readonly position: number; readonly ids: readonly number[] };
  /** Unsigned 32-bit. Noise is a hash of seed, position and token id. */
  readonly seed: number;
  /** Whether `logprob` is wanted (a sum over the vocabulary). */
  readonly logprobs: boolean;
}

export interface StepRequest {
  /** Sequences whose cache is let go before the step. */
  readonly close: readonly number[];
  /** Sources read before the rows are computed, each once and alone. For encoder–decoders. */
  readonly encode?: readonly StepSource[];
  /** Rows computed together. All have the same number of new tokens. */
  readonly rows: readonly StepRow[];
}

/** What a sequence of an encoder–decoder is about. It fills the caches of cross-attention, before the first row. */
export interface StepSource {
  readonly sequence: number;
  readonly ids: readonly number[];
}

export type StepRow = GivenTokens | FollowingToken;

export interface GivenTokens {
  /** The sequence this row extends. One not seen before starts empty. */
  readonly sequence: number;
  /** New tokens, at the positions that follow those the sequence has. */
  readonly ids: readonly number[];
  /**
   * `token`: choose the next token from the last new token's logits. `logits`: return the logits of every new
   * token. `nothing`: only extend the cache (a prompt's earlier chunks).
   */
  readonly want: "token" | "logits" | "nothing";
  /** Needed where `want` is `token`. */
  readonly sampling?: SamplingParameters;
  /** Tokens that end the sequence: after one of them, a {@link FollowingToken} is not computed. Default none. */
  readonly endIds?: readonly number[];
}

/**
 * The token that was chosen last enters, and the next is chosen as that one was. All ranks know it, so this can be
 * asked for before the coordinator does. Where that token has ended the sequence, nothing is computed and the row's
 * result is empty.
 */
export interface FollowingToken {
  readonly sequence: number;
  readonly want: "next";
}

/** Rank 0 answers every step, in order. Another rank only says that it has failed. */
export type StepAnswer = { readonly result: StepResult } | { readonly error: RingrankErrorData };

export interface StepResult {
  /** By row. */
  readonly rows: readonly StepRowResult[];
  readonly counters: StepCounters;
}

export interface StepRowResult {
  readonly token?: number;
  /** log-softmax of the raw logits at the chosen token. NaN where not asked for. */
  readonly logprob?: number;
  /** `[new tokens, vocabulary]`, row-major. */
  readonly logits?: Float32Array;
}

/** Counts since loading. */
export interface StepCounters {
  readonly steps: number;
  /** Milliseconds that rank 0 has spent in steps, its waits for other ranks included. */
  readonly milliseconds: number;
  /** New tokens that entered the graph, summed over steps and rows. */
  readonly tokens: number;
  /** Tokens of sources that an encoder has read, summed over sequences. */
  readonly sourceTokens: number;
  /** Experts of rank 0 that some row went to, summed over layers and steps; the weights of others are not read. */
  readonly experts: number;
  readonly collectives: number;
  /** Bytes of one rank's operands, summed over collectives. */
  readonly collectiveBytes: number;
}

export interface RunRequest {
  readonly entry: string;
  /**
   * By graph input, those of entries that fill the entry's caches included. Cache inputs, positions and rows that are
   * left out get their empty values.
   */
  readonly inputs: Readonly<Record<string, TensorMessage>>;
  /** Names of outputs to return, of the entry or of one that fills its caches. Cache outputs are not among them. */
  readonly outputs: readonly string[];
  /** Whether `logits` holds every position or each sequence's last. */
  readonly logits: "all" | "last";
}

export interface RunResult {
  /** Whole tensors; empty on every rank but rank 0. */
  readonly outputs: Readonly<Record<string, TensorMessage>>;
}

export interface TensorMessage {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}
