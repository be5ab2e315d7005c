import { resolve } from "node:path";
import { type ErrorCode, RingrankError, show } from "@ringrank/errors";
import { resolveModel } from "@ringrank/model/serving";

/** Bounds of a numeric option, as documented. */
interface NumberRule {
  readonly minimum: number;
  /** Whether the minimum itself is excluded. */
  readonly isAbove?: boolean;
  readonly maximum?: number;
  readonly integer?: boolean;
  /** For the message: "milliseconds", "bytes", "tokens". */
  readonly unit?: string;
  readonly infinity?: boolean;
  readonly code?: ErrorCode;
}

/**
 * Returns `value` if it satisfies the rule, or `fallback` if it is undefined.
 *
 * @throws RR_OPTION (or `rule.code`), saying what was expected and what was received
 */
export function numberOption<Fallback>(
  name: string,
  value: unknown,
  rule: NumberRule,
  fallback: Fallback,
): number | Fallback {
  if (value === undefined) return fallback;
  const allowed =
    typeof value === "number" &&
    (Number.isFinite(value) || rule.infinity === true) &&
    (rule.integer !== true || Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY) &&
    (rule.isAbove === true ? value > rule.minimum : value >= rule.minimum) &&
    value <= (rule.maximum ?? Number.POSITIVE_INFINITY);
  if (allowed) return value;
  throw optionError(name, describe(rule), value, rule.code);
}

/** Returns `value` if it is one of `choices`, or `fallback` if it is undefined. */
export function choiceOption<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  return optionalChoice(name, value, choices) ?? fallback;
}

/** Returns `value` if it is one of `choices`, or undefined if it is that. */
export function optionalChoice<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw optionError(name, choices.map((candidate) => JSON.stringify(candidate)).join(" or "), value);
}

export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw optionError(name, "true or false", value);
}

/** Returns a copy of token ids. Other code checks whether they are in the vocabulary. */
export function idsOption(name: string, value: unknown): readonly number[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return [...value];
  throw optionError(name, "an array of token ids", value);
}

export function pathOption(name: string, value: unknown, expected = "a path"): string {
  if (typeof value === "string" && value !== "") return value;
  throw optionError(name, expected, value);
}

/**
 * Returns a path as it is now. It is used later, when the process may be in another directory.
 *
 * @param name of the option, or of the environment variable
 */
export function absolutePath(name: string, path: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    const what = `expected an absolute path, or a working directory that exists, got ${show(path)}`;
    throw new RingrankError("RR_OPTION", `${name}: ${what}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The real path of a model, as it is now: threads that start later may be in another directory.
 *
 * @throws RR_OPTION, RR_NOT_A_MODEL
 */
export function modelPath(pathOrId: unknown): string {
  const advice = pathOrId instanceof URL ? " (fileURLToPath gives that of a URL)" : "";
  return resolveModel(pathOption("model", pathOrId, `a path or the id of a model${advice}`));
}

export function functionOption<Callback>(
  name: string,
  value: Callback | undefined,
  takes: string,
): Callback | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw optionError(name, `a function of (${takes})`, value);
}

export function signalOption(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw optionError("signal", "an AbortSignal", value);
}

export function optionError(
  name: string,
  expected: string,
  got: unknown,
  code: ErrorCode = "RR_OPTION",
): RingrankError {
  return new RingrankError(code, `${name}: expected ${expected}, got ${show(got)}`);
}

function describe(rule: NumberRule): string {
  const whole = rule.unit === undefined ? "an integer" : "a whole number";
  const kind = rule.integer === true ? whole : "a number";
  const unit = rule.unit === undefined ? "" : ` of ${rule.unit}`;
  const least = rule.isAbove === true ? `above ${rule.minimum}` : `from ${rule.minimum}`;
  const range = rule.maximum === undefined ? least : `from ${rule.minimum} to ${rule.maximum}`;
  return `${kind}${unit} ${range}${rule.infinity === true ? ", or Infinity" : ""}`;
}
