import { RingrankError } from "./ringrank-error.js";

/**
 * A misspelt option must not be ignored in silence.
 *
 * @throws RR_OPTION for what is no object, or has a key that is not `known`
 */
export function requireOptions(options: unknown, known: readonly string[]): void {
  const expected = `expected an object with no options but ${known.join(", ")}`;
  if (typeof options !== "object" || options === null) {
    throw new RingrankError("RR_OPTION", `${expected}; got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new RingrankError("RR_OPTION", `${expected}; got ${unknown}`);
}
