import * as library from "@huggingface/tokenizers";
import { fieldOf } from "./fields.js";

/** Of the library, whose own declarations are none that Node's resolution of modules takes. */
const { SplitPreTokenizer } = library as unknown as {
  readonly SplitPreTokenizer: new (step: object) => { readonly pattern: RegExp };
};

/** Whether Unicode calls a character a space: no byte order mark is one, and U+0085 is. */
export const space = "\\p{White_Space}";
/** What a word has in Rust's regular expressions. */
export const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";

/** A part of a text: where it begins and ends, in UTF-16 units, and whether a pattern found it. */
export type Cut = readonly [start: number, end: number, isFound: boolean];

/**
 * The `pattern` of a step, `{ String }` or `{ Regex }`: a regular expression of Oniguruma, as one of JavaScript.
 *
 * @throws Error if it is none
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

/** A regular expression that finds `text`. */
export function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** All of a text, in order: what the pattern finds, and what is between. */
export function* cutsOf(text: string, pattern: RegExp): Generator<Cut> {
  let end = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    // As in Oniguruma, nothing is not found right behind what was found.
    if (found === "" && index === end && index > 0) continue;
    if (end < index) yield [end, index, false];
    end = index + found.length;
    yield [index, end, true];
  }
  if (end < text.length) yield [end, text.length, false];
}

/** The text with `content` in place of all that the pattern finds, as it is: no `$` in it is JavaScript's. */
export function replaced(text: string, pattern: RegExp, content: string): string {
  let result = "";
  for (const [start, end, isFound] of cutsOf(text, pattern)) {
    result += isFound ? content : text.slice(start, end);
  }
  return result;
}
