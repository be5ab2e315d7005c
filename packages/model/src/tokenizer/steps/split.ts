import { cutsOf } from "./pattern.js";

/**
 * Splits a text. If it removes the beginning of the text, its first piece is empty, to show that the next one is not at
 * the beginning.
 */
export type Splitter = (text: string) => readonly string[];

/** Whether two neighbouring parts belong to one piece, depending on whether each is a delimiter. */
const joins: Readonly<Record<string, (before: boolean, after: boolean) => boolean>> = {
  isolated: () => false,
  contiguous: (before, after) => before === after,
  mergedwithprevious: (before, after) => after && !before,
  mergedwithnext: (before, after) => before && !after,
};

/**
 * Splits a text at delimiters: the matches of a pattern, or, `inverted`, all that is between them.
 *
 * @param behavior what happens to the delimiters: `SplitDelimiterBehavior` of the Rust library
 * @throws Error for an unknown behavior
 */
export function splitterOf(pattern: RegExp, behavior: string, inverted = false): Splitter {
  const name = behavior.toLowerCase();
  if (name === "removed") return (text) => kept(text, pattern, inverted);
  const isJoined = Object.hasOwn(joins, name) ? joins[name] : undefined;
  if (isJoined === undefined) throw new Error(`unknown behavior of a pre-tokenizer: ${behavior}`);
  return (text) => {
    const pieces: string[] = [];
    let pieceStart = 0;
    let before: boolean | undefined;
    for (const [start, , isFound] of cutsOf(text, pattern)) {
      const after = isFound !== inverted;
      if (before !== undefined && !isJoined(before, after)) {
        pieces.push(text.slice(pieceStart, start));
        pieceStart = start;
      }
      before = after;
    }
    pieces.push(text.slice(pieceStart));
    return pieces;
  };
}

function kept(text: string, pattern: RegExp, found: boolean): string[] {
  const pieces: string[] = [];
  for (const [start, end, isFound] of cutsOf(text, pattern)) {
    if (isFound === found) pieces.push(text.slice(start, end));
    else if (start === 0) pieces.push("");
  }
  return pieces;
}
