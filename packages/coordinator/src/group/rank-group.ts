import type { RingrankError } from "@ringrank/errors";
import type { LoadReport, RunRequest, RunResult, StepRequest, StepResult } from "@ringrank/rank-worker";

/**
 * All ranks of a model as one: each call goes to every rank. A step may be sent before earlier steps have been
 * answered; answers come in order. A run never overlaps with another call.
 *
 * Calls are validated before they are made. Any error of a rank is therefore a fault, and ends the group:
 * {@link failure} is set before the call rejects.
 */
export interface RankGroup {
  readonly worldSize: number;
  /** By rank, from loading. */
  readonly reports: readonly LoadReport[];
  /** The first cause, once a rank has failed. */
  readonly failure: RingrankError | undefined;
  /** Calls `listener` once when a rank fails, even between calls, or at once if one has already failed. */
  onFailure(listener: (cause: RingrankError) => void): void;
  step(request: StepRequest): Promise<StepResult>;
  run(request: RunRequest): Promise<RunResult>;
  /**
   * Ends all threads. Always settles; repeated calls return the same promise. A call in progress rejects with
   * `RR_CLOSED`.
   */
  close(): Promise<void>;
}
