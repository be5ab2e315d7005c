import { RingrankError } from "./ringrank-error.js";
import { show } from "./show.js";

/**
 * Refuses unknown options, because a misspelt option must not be silently ignored.
 *
 * @throws RR_OPTION if it is not an object of options, or has a key that is not in `known`
 */
export function requireOptions(options: unknown, known: readonly string[]): void {
  if (!hasOptions(options)) throw refused(known, show(options));
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refused(known, unknown);
}

function refused(known: readonly string[], got: string): RingrankError {
  const expected = `expected an object with no options but ${known.join(", ")}`;
  return new RingrankError("RR_OPTION", `${expected}; got ${got}`);
}

/** A Map, an array, a Promise or a signal has no keys that could be unknown, whatever is in it. A module has. */
function hasOptions(value: unknown): value is object {
  const kind = Object.prototype.toString.call(value);
  return kind === "[object Object]" || kind === "[object Module]";
}
