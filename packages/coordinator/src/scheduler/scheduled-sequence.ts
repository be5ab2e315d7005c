import type { StepRow, StepRowResult } from "@ringrank/rank-worker";

/** New tokens of one sequence and what is wanted of them: a row of a step, without its sequence. */
export type Piece = Omit<StepRow, "sequence">;

/** A sequence with a KV cache on the ranks, as the scheduler sees it. */
export interface ScheduledSequence {
  /** Names the cache; never used again after the sequence has ended. */
  readonly id: number;
  /** Token ids that an encoder reads before the sequence's first piece; only for encoder–decoders. */
  readonly source: readonly number[] | undefined;
  /** Once true, the cache is let go at the next opportunity. */
  readonly ended: boolean;
  /** What to compute next, at most `limit` tokens, or undefined while there is nothing. Changes nothing. */
  next(limit: number): Piece | undefined;
  /** Takes the result of the piece that {@link next} gave. The next step waits for it. */
  accept(piece: Piece, result: StepRowResult): Promise<void> | void;
  /** Ends the sequence with an error. */
  fail(error: unknown): void;
}
