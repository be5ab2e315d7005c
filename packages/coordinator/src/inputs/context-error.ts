import { RingrankError } from "@ringrank/errors";

/** @param got the number of tokens, or a bound of it */
export function contextError(maxContext: number, got: string): RingrankError {
  return new RingrankError(
    "RR_CONTEXT",
    `expected at most ${maxContext} tokens, the model's context; got ${got}. Shorten the input`,
  );
}
