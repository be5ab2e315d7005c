import { RingrankError } from "@ringrank/errors";
import { decodeUtf8, readFile } from "./read-file.js";

/**
 * Untrusted JSON after parsing: deeply frozen, with objects without a prototype, so that a name in a file
 * (`constructor`, `__proto__`) is only ever a name.
 */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

interface JsonLimits {
  /** The largest file in bytes. */
  readonly maxBytes: number;
  /** Whether a name that occurs twice in one object is an error; otherwise the last one counts, as in Python. */
  readonly uniqueNames?: boolean;
}

/** Deeper than any config; shallow enough to walk by recursion. */
const maxDepth = 64;

const mebibyte = 1024 * 1024;

/** In bytes. The largest files of these kinds in use have 40 KB (config), 20 MB (tokenizer) and a few MB (index). */
export const jsonFileLimits = {
  config: { maxBytes: 16 * mebibyte },
  tokenizer: { maxBytes: 256 * mebibyte },
  index: { maxBytes: 100 * mebibyte, uniqueNames: true },
} as const satisfies Record<string, JsonLimits>;

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value for a message, shortened if it is long. */
export function showJson(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/**
 * The object in a JSON file.
 *
 * @throws RR_MISSING_FILE if it does not exist; RR_FILE_FORMAT if it is too large, or is not one JSON object
 */
export function readJsonObject(file: string, limits: JsonLimits): JsonObject {
  return parseJsonObject(readFile(file, limits.maxBytes, "JSON"), file, limits);
}

/**
 * The value in a JSON file.
 *
 * @throws RR_MISSING_FILE, RR_FILE_FORMAT
 */
export function readJson(file: string, limits: JsonLimits): JsonValue {
  return freeze(parseJson(readFile(file, limits.maxBytes, "JSON"), file, limits));
}

/** Like {@link readJsonObject}, but returns plain objects that may be changed, for a library that requires its own. */
export function readMutableJson(file: string, limits: JsonLimits): unknown {
  return parseJson(readFile(file, limits.maxBytes, "JSON"), file, limits);
}

/**
 * The JSON object in the UTF-8 text `bytes`. `where` names it in errors.
 *
 * @throws RR_FILE_FORMAT
 */
export function parseJsonObject(bytes: Uint8Array, where: string, limits: JsonLimits): JsonObject {
  const value = freeze(parseJson(bytes, where, limits));
  if (!isJsonObject(value)) throw new RingrankError("RR_FILE_FORMAT", `${where}: expected a JSON object`);
  return value;
}

function parseJson(bytes: Uint8Array, where: string, limits: JsonLimits): JsonValue {
  const text = decodeUtf8(bytes, where, "JSON");
  checkNesting(text, where, limits.uniqueNames ?? false);
  try {
    return JSON.parse(spellInfinity(text)) as JsonValue;
  } catch (cause) {
    throw new RingrankError("RR_FILE_FORMAT", `${where}: expected JSON, but ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Python writes an infinite limit as `Infinity`, which is not JSON. It is replaced by what transformers writes from
 * version 5 on: `{"__float__": "Infinity"}`.
 */
function spellInfinity(text: string): string {
  if (!text.includes("Infinity")) return text;
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b/gs, (token) =>
    token.startsWith('"') ? token : `{"__float__": "${token}"}`,
  );
}

/** Whether this represents positive infinity. */
export function isInfinite(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && value.__float__ === "Infinity";
}

/**
 * Walks the brackets and strings of what may be JSON, before it is parsed: JSON.parse would build any depth, and hides
 * repeated names.
 */
function checkNesting(text: string, where: string, uniqueNames: boolean): void {
  /** By depth: the names seen in an object; undefined in an array. */
  const open: (Set<string> | undefined)[] = [];
  const token = /["[\]{}]/g;
  const name = /"((?:[^"\\]|\\.)*)"(?=\s*(:)?)/sy;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const character = found[0];
    if (character === "[" || character === "{") {
      open.push(character === "{" ? new Set() : undefined);
      if (open.length > maxDepth) {
        throw new RingrankError("RR_FILE_FORMAT", `${where}: JSON is nested deeper than ${maxDepth}`);
      }
    } else if (character === '"') {
      name.lastIndex = found.index;
      const string = name.exec(text);
      // Not JSON: JSON.parse gives a better message.
      if (string === null) return;
      token.lastIndex = name.lastIndex;
      if (uniqueNames && string[2] !== undefined) addName(open.at(-1), string[1]!, where);
    } else {
      open.pop();
    }
  }
}

function addName(names: Set<string> | undefined, raw: string, where: string): void {
  if (names === undefined) return;
  let name = raw;
  if (raw.includes("\\")) {
    try {
      name = JSON.parse(`"${raw}"`) as string;
    } catch (cause) {
      throw new RingrankError("RR_FILE_FORMAT", `${where}: "${raw}" is not a JSON string`, { cause });
    }
  }
  if (names.has(name)) throw new RingrankError("RR_FILE_FORMAT", `${where}: the name "${name}" occurs twice`);
  names.add(name);
}

function freeze(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return Object.freeze(value.map(freeze));
  if (!isJsonObject(value)) return value;
  const object = Object.create(null) as Record<string, JsonValue>;
  for (const [name, item] of Object.entries(value)) object[name] = freeze(item);
  return Object.freeze(object);
}
