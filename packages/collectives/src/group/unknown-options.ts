import { RingrankError } from "@ringrank/errors";

/**
 * A misspelt option must not be ignored in silence.
 *
 * @param others what is left of the options given, without those there are
 * @throws RR_OPTION
 */
export function refuseUnknownOptions(others: object, known: string): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new RingrankError("RR_OPTION", `expected no options but ${known}; got ${unknown}`);
  }
}
