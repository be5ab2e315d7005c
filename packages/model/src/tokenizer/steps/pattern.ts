import * as library from "@huggingface/tokenizers";
import { fieldOf } from "./fields.js";

/** The library's own declarations do not work with Node's module resolution. */
const { SplitPreTokenizer } = library as unknown as {
  readonly SplitPreTokenizer: new (step: object) => { readonly pattern: RegExp };
};

/** Unicode's white space, which includes U+0085 but not the byte order mark. */
export const space = "\\p{White_Space}";
/** Word characters, as in Rust's regular expressions. */
export const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";

/** A part of a text: its start and end, in UTF-16 units, and whether it is a match. */
export type Cut = readonly [start: number, end: number, isFound: boolean];

/**
 * The `pattern` of a step, `{ String }` or `{ Regex }`; the latter, in Oniguruma's syntax, as a JavaScript one.
 *
 * @throws Error if it is neither
 */
export function patternOf(step: object): RegExp {
  const pattern = fieldOf(step, "pattern");
  if (typeof pattern === "object" && pattern !== null) {
    const [text, regex] = [fieldOf(pattern, "String"), fieldOf(pattern, "Regex")];
    if (typeof text === "string") return new RegExp(literal(text), "gu");
    if (typeof regex === "string") return new SplitPreTokenizer({ pattern: { Regex: regex } }).pattern;
  }
  throw new Error(`expected "pattern" to be a String or a Regex, got ${JSON.stringify(pattern)}`);
}

/** A regular expression that matches `text` literally. */
export function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** All parts of a text, in order: matches and what is between them. */
export function* cutsOf(text: string, pattern: RegExp): Generator<Cut> {
  let end = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    // As in Oniguruma, there is no empty match right after another match.
    if (found === "" && index === end && index > 0) continue;
    if (end < index) yield [end, index, false];
    end = index + found.length;
    yield [index, end, true];
  }
  if (end < text.length) yield [end, text.length, false];
}

/** Replaces all matches by `content`, literally: `$` has no special meaning. */
export function replaced(text: string, pattern: RegExp, content: string): string {
  let result = "";
  for (const [start, end, isFound] of cutsOf(text, pattern)) {
    result += isFound ? content : text.slice(start, end);
  }
  return result;
}
