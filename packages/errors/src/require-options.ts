import { RingrankError } from "./ringrank-error.js";
import { show } from "./show.js";

/**
 * Refuses unknown options, because a misspelt option must not be silently ignored.
 *
 * @throws RR_OPTION if it is not an object, or has a key that is not in `known`
 */
export function requireOptions(options: unknown, known: readonly string[]): void {
  const expected = `expected an object with no options but ${known.join(", ")}`;
  if (typeof options !== "object" || options === null) {
    throw new RingrankError("RR_OPTION", `${expected}; got ${show(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new RingrankError("RR_OPTION", `${expected}; got ${unknown}`);
}
