import { RingrankError } from "@ringrank/errors";

/** @param got how many tokens there are: a number, or a bound */
export function contextError(maxContext: number, got: string): RingrankError {
  return new RingrankError(
    "RR_CONTEXT",
    `expected at most ${maxContext} tokens, the model's context; got ${got}. Shorten the input`,
  );
}
