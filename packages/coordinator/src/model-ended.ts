import { RingrankError } from "@ringrank/errors";

/** The error of calls in progress when the model is closed. */
export function modelClosed(): RingrankError {
  return new RingrankError("RR_CLOSED", "the model is closed");
}

/** The error of calls after a fault. */
export function modelFailed(cause: RingrankError): RingrankError {
  const message = `a fault ended the model: ${cause.message}. Load it again`;
  return new RingrankError("RR_MODEL_FAILED", message, { cause, rank: cause.rank });
}
