import type { FollowingToken, GivenTokens, StepRowResult } from "@ringrank/rank-worker";

/** New tokens of one sequence and what is wanted of them: a row of a step, without its sequence. */
export type Piece = Omit<GivenTokens, "sequence"> | Omit<FollowingToken, "sequence">;

/** A sequence with a KV cache on the ranks, as the scheduler sees it. */
export interface ScheduledSequence {
  /** Names the cache; never used again after the sequence has ended. */
  readonly id: number;
  /** Token ids that an encoder reads before the sequence's first piece; only for encoder–decoders. */
  readonly source: readonly number[] | undefined;
  /** Once true, the cache is let go at the next opportunity. */
  readonly ended: boolean;
  /** Whether all its pieces are on their way: there will be no more, whatever comes back. */
  readonly isComplete: boolean;
  /** What to compute next, at most `limit` tokens, or undefined while there is nothing. Changes nothing. */
  next(limit: number): Piece | undefined;
  /** The piece that {@link next} gave is on its way; what it gives from now on comes after. */
  sent(piece: Piece): void;
  /** Takes the result of the earliest piece that is on its way. */
  accept(piece: Piece, result: StepRowResult): void;
  /** Ends the sequence with an error; what is asked of it afterwards gets `later`. Default: the same. */
  fail(error: unknown, later?: unknown): void;
}
