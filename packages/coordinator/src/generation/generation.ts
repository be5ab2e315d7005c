/** One generated token, as it comes. */
export interface GeneratedToken {
  readonly id: number;
  /**
   * Text that this token completes. It may be empty: incomplete UTF-8 and what may become a stop string are held
   * back; it always is where the model has no tokenizer. All texts together are the result's `text`.
   */
  readonly text: string;
  /** Log-softmax of the raw logits at `id`; NaN unless `logprobs` was asked for. */
  readonly logprob: number;
}

/** Why a generation ended: a stop string, its length, an end-of-sequence token, or a reader who left. */
export type FinishReason = "stop" | "length" | "eos" | "abort";

export interface GenerationResult {
  /** Without prompt and stop string; empty where the model has no tokenizer. */
  readonly text: string;
  /** Generated tokens only, an end-of-sequence token included. */
  readonly ids: readonly number[];
  readonly finishReason: FinishReason;
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
}

/**
 * One text in the making. It starts by itself, and goes on as its reader takes tokens: at most one is undelivered,
 * so a slow reader leaves the batch and keeps its cache. Leaving the loop (`break`) cancels, as `signal` does: one that
 * nobody reads any more keeps its cache until then, or until the model is closed.
 *
 * Where nobody reads but `result` was asked for, it goes on alone, and a reader who comes later gets all tokens.
 */
export interface Generation extends AsyncIterable<GeneratedToken> {
  /** As a generator's, it can be read on in a loop, by who looked at the first token before. */
  [Symbol.asyncIterator](): AsyncIterableIterator<GeneratedToken>;
  /** Settles when the text has ended. Never an unhandled rejection, though every `then` on it is the caller's own. */
  readonly result: Promise<GenerationResult>;
}
