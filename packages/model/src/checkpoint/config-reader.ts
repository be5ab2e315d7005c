import { RingrankError } from "@ringrank/errors";
import { isJsonObject, type JsonObject, type JsonValue, showJson } from "../files/json.js";

/** One name, or several that configs use for the same thing: the first that is present counts. */
export type FieldNames = string | readonly string[];

/** Limits that no sane config exceeds, and within which no arithmetic on shapes overflows. */
export const configLimits = {
  layers: 10_000,
  /** For a width, or a number of heads or tokens. */
  dimension: 2 ** 31,
} as const;

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Typed access to an untrusted config. A field that is absent or `null` takes its default, or is an error (except in
 * {@link ConfigReader.boolean}). A field of the wrong type or size is always an error, RR_CONFIG, which names file and
 * field, and says what was expected and what was received.
 */
export class ConfigReader {
  readonly #object: JsonObject;
  readonly #where: string;

  /** @param where names the object in errors: a file, or a file and the path within it */
  constructor(object: JsonObject, where = "config.json") {
    this.#object = object;
    this.#where = where;
  }

  /** Names of the fields that are present and not null. */
  names(): string[] {
    return Object.keys(this.#object).filter((name) => this.#object[name] !== null);
  }

  has(names: FieldNames): boolean {
    return this.#find(names) !== undefined;
  }

  /** Whether the field is present and null, with which configs switch off what the default would switch on. */
  isNull(name: string): boolean {
    return Object.hasOwn(this.#object, name) && this.#object[name] === null;
  }

  /** An integer; a count, so from 1 to 2³¹ unless `range` says otherwise. */
  integer(names: FieldNames, options: Range & { readonly default?: number } = {}): number {
    return this.optionalInteger(names, options) ?? options.default ?? this.#missing(names, "an integer");
  }

  optionalInteger(
    names: FieldNames,
    { min = 1, max = configLimits.dimension }: Range = {},
  ): number | undefined {
    return this.#read(names, `an integer from ${min} to ${max}`, (value) => isWithin(value, min, max, true));
  }

  /** A finite number. */
  number(names: FieldNames, options: Range & { readonly default?: number } = {}): number {
    return this.optionalNumber(names, options) ?? options.default ?? this.#missing(names, "a number");
  }

  optionalNumber(
    names: FieldNames,
    { min = -Number.MAX_VALUE, max = Number.MAX_VALUE }: Range = {},
  ): number | undefined {
    return this.#read(names, describeRange(min, max), (value) => isWithin(value, min, max, false));
  }

  /** True or false. null is false, as it is in the Python code that such a config is written for. */
  boolean(names: FieldNames, options: { readonly default?: boolean } = {}): boolean {
    const value = this.optionalBoolean(names);
    if (value !== undefined) return value;
    if (namesIn(names).some((name) => this.isNull(name))) return false;
    return options.default ?? this.#missing(names, "true or false");
  }

  optionalBoolean(names: FieldNames): boolean | undefined {
    return this.#read(names, "true or false", (value) => typeof value === "boolean");
  }

  string(names: FieldNames, options: { readonly default?: string } = {}): string {
    return this.optionalString(names) ?? options.default ?? this.#missing(names, "a string");
  }

  optionalString(names: FieldNames): string | undefined {
    return this.#read(names, "a string", (value) => typeof value === "string");
  }

  /** One of `choices`, with exact spelling. */
  oneOf<const T extends string>(
    names: FieldNames,
    choices: readonly T[],
    options: { readonly default?: NoInfer<T> } = {},
  ): T {
    const expected = `one of ${choices.join(", ")}`;
    const isChoice = (value: JsonValue): value is T => choices.some((choice) => choice === value);
    return this.#read(names, expected, isChoice) ?? options.default ?? this.#missing(names, expected);
  }

  /** A list of finite numbers. */
  optionalNumbers(names: FieldNames): readonly number[] | undefined {
    return this.#read(
      names,
      "a list of numbers",
      (value): value is readonly number[] => Array.isArray(value) && value.every(Number.isFinite),
    );
  }

  /** A list of integers; with `orOne`, a single one counts as a list. */
  optionalIntegers(names: FieldNames, { min = 1, max = configLimits.dimension }: Range = {}) {
    const valid = (value: JsonValue): value is number => isWithin(value, min, max, true);
    const value = this.#read(
      names,
      `an integer from ${min} to ${max}, or a list of them`,
      (item): item is number | readonly number[] => (Array.isArray(item) ? item.every(valid) : valid(item)),
    );
    return typeof value === "number" ? [value] : value;
  }

  /** A list of strings, such as `layer_types`. */
  optionalStrings(names: FieldNames): readonly string[] | undefined {
    return this.#read(
      names,
      "a list of strings",
      (value): value is readonly string[] =>
        Array.isArray(value) && value.every((item) => typeof item === "string"),
    );
  }

  /** A nested object. */
  object(names: FieldNames): ConfigReader {
    return this.optionalObject(names) ?? this.#missing(names, "an object");
  }

  optionalObject(names: FieldNames): ConfigReader | undefined {
    const object = this.#read(names, "an object", isJsonObject);
    return object && new ConfigReader(object, `${this.#where}: ${this.#find(names)}`);
  }

  /** The raw value, if no getter fits; undefined if absent or null. */
  raw(names: FieldNames): JsonValue | undefined {
    const name = this.#find(names);
    return name === undefined ? undefined : this.#object[name];
  }

  /**
   * An error about this config that is not about the type of a single field: what was expected, and what was received.
   */
  error(message: string): RingrankError {
    return new RingrankError("RR_CONFIG", `${this.#where}: ${message}`);
  }

  #find(names: FieldNames): string | undefined {
    return namesIn(names).find((name) => (this.#object[name] ?? null) !== null);
  }

  #read<T extends JsonValue>(
    names: FieldNames,
    expected: string,
    is: (value: JsonValue) => value is T,
  ): T | undefined {
    const name = this.#find(names);
    if (name === undefined) return undefined;
    const value = this.#object[name]!;
    if (!is(value)) throw this.error(`expected "${name}" to be ${expected}, got ${showJson(value)}`);
    return value;
  }

  #missing(names: FieldNames, expected: string): never {
    const name = namesIn(names)
      .map((each) => `"${each}"`)
      .join(" or ");
    throw this.error(`expected ${name} to be ${expected}, but it is absent`);
  }
}

function namesIn(names: FieldNames): readonly string[] {
  return typeof names === "string" ? [names] : names;
}

function isWithin(value: JsonValue, min: number, max: number, whole: boolean): value is number {
  const kind = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  return kind && (value as number) >= min && (value as number) <= max;
}

function describeRange(min: number, max: number): string {
  const bounds = [
    ...(min > -Number.MAX_VALUE ? [`at least ${min}`] : []),
    ...(max < Number.MAX_VALUE ? [`at most ${max}`] : []),
  ];
  return ["a number", bounds.join(" and ")].filter((part) => part !== "").join(" of ");
}
