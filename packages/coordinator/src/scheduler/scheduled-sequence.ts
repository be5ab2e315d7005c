import type { FollowingToken, GivenTokens, StepRowResult } from "@ringrank/rank-worker";

/** New tokens of one sequence and what to compute for them: a row of a step, without its sequence. */
export type Piece = Omit<GivenTokens, "sequence"> | Omit<FollowingToken, "sequence">;

/** A sequence with a KV cache on the ranks, as the scheduler sees it. */
export interface ScheduledSequence {
  /** Identifies the cache; never reused after the sequence has ended. */
  readonly id: number;
  /** Token ids that an encoder reads before the sequence's first piece; only for encoder–decoders. */
  readonly source: readonly number[] | undefined;
  /** Its first tokens, if it may share them with other sequences. */
  readonly prompt?: readonly number[] | undefined;
  /** The most tokens that its cache can have once all pieces have been answered. Those of the prompt, it will have. */
  readonly mostEntered?: number | undefined;
  /** The tokens in its cache, once all pieces have been answered, if later sequences may begin with them. */
  readonly entered?: readonly number[] | undefined;
  /** Once true, the cache is released at the next opportunity. */
  readonly ended: boolean;
  /** Whether all its pieces have been sent, so that there will be no more, whatever the results are. */
  readonly isComplete: boolean;
  /**
   * What to compute next, at most `limit` tokens; undefined if there is nothing at the moment. Has no side effects.
   *
   * @param prefix before the first piece: the tokens of the prompt that are in its cache already
   */
  next(limit: number, prefix: number): Piece | undefined;
  /** Confirms that the piece from {@link next} has been sent; later pieces come after it. */
  sent(piece: Piece, prefix: number): void;
  /** Receives the result of the earliest piece that has been sent and not yet answered. */
  accept(piece: Piece, result: StepRowResult): void;
  /** Ends the sequence with an error. Later calls fail with `later`, by default the same error. */
  fail(error: unknown, later?: unknown): void;
}
