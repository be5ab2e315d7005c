/** One generated token. */
export interface GeneratedToken {
  readonly id: number;
  /**
   * The text that this token completes. It may be empty, since incomplete UTF-8 and possible beginnings of stop strings
   * are held back; it is always empty if the model has no tokenizer. All of them joined are the result's `text`.
   */
  readonly text: string;
  /** Log-softmax of the raw logits at `id`; NaN unless `logprobs` was asked for. */
  readonly logprob: number;
}

/** Why a generation ended: a stop string, a limit of its length, an end-of-sequence token, or its reader left. */
export type FinishReason = "stop" | "length" | "eos" | "abort";

export interface GenerationResult {
  /** The generated text, without prompt and stop string; empty if the model has no tokenizer. */
  readonly text: string;
  /** The generated tokens, including an end-of-sequence token. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  readonly usage: Usage;
}

export interface Usage {
  readonly promptTokens: number;
  /** How many of the prompt's tokens were not computed, because the cache of another generation had them. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/**
 * A text that is being generated. Generation starts by itself and continues as its reader takes tokens. At most one
 * token is undelivered at any time, so the sequence of a slow reader leaves the batch for a while, and keeps its cache.
 * Leaving the loop (`break`) cancels the generation, as `signal` does. If its reader just stops reading, it keeps its
 * cache until then, or until the model is closed.
 *
 * Once `result` is asked for, it runs to its end, however slow its reader is, and whether or not there is one. All
 * tokens can still be read. To have it wait for a slow reader, ask for `result` after the last token.
 */
export interface Generation extends AsyncIterable<GeneratedToken> {
  /** Like a generator's, this iterator is iterable: after a first `next()`, a loop can read the rest. */
  [Symbol.asyncIterator](): AsyncIterableIterator<GeneratedToken>;
  /**
   * Settles when the generation has ended, which it does without a reader, too. It never causes an unhandled rejection
   * by itself; a promise that the caller derives from it, with `then`, may.
   */
  readonly result: Promise<GenerationResult>;
}
