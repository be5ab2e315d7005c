import { RingrankError } from "@ringrank/errors";
import type { LoadReport, RunRequest, RunResult, StepRequest, StepResult } from "@ringrank/rank-worker";

/**
 * All ranks of a model as one: each call goes to every rank. Steps may follow each other before they are answered,
 * and are answered in order; a run is alone, from its call to its answer.
 *
 * What may be wrong with a call is found before it is made. An error of a rank is a fault, whatever it is, and ends the
 * group: {@link failure} is set before the call rejects.
 */
export interface RankGroup {
  readonly worldSize: number;
  /** By rank, of the time of loading. */
  readonly reports: readonly LoadReport[];
  /** The first cause, once a rank has failed. */
  readonly failure: RingrankError | undefined;
  /** Called once, when a rank fails, also between calls; at once if one has failed already. */
  onFailure(listener: (cause: RingrankError) => void): void;
  step(request: StepRequest): Promise<StepResult>;
  run(request: RunRequest): Promise<RunResult>;
  /** Ends all threads. Always settles; a second call is the first. A running call rejects `RR_CLOSED`. */
  close(): Promise<void>;
}

/** What calls get that come after a fault. */
export function modelFailed(cause: RingrankError): RingrankError {
  const message = `the model was ended by a fault: ${cause.message}. Load it again`;
  return new RingrankError("RR_MODEL_FAILED", message, { cause, rank: cause.rank });
}
