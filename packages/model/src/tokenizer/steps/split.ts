import { cutsOf } from "./pattern.js";

/** Cuts a text. Where it leaves out how the text begins, the first piece is empty, and stands for that. */
export type Splitter = (text: string) => readonly string[];

/** Whether two parts that follow each other are one piece, from whether each is what was looked for. */
const joins: Readonly<Record<string, (before: boolean, after: boolean) => boolean>> = {
  isolated: () => false,
  contiguous: (before, after) => before === after,
  mergedwithprevious: (before, after) => after && !before,
  mergedwithnext: (before, after) => before && !after,
};

/**
 * Cuts a text at what a pattern finds, or, `inverted`, at all else.
 *
 * @param behavior what becomes of what is cut at: `SplitDelimiterBehavior` of the library in Rust
 * @throws Error for a behavior that there is not
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
