import type { Placed } from "../placed.js";
import type { QuantizedMatrix } from "./blocks.js";

/** Rows of a strip at most: as bytes, they and what is made of them by a panel stay in a core's own cache. */
export const longestStrip = 640;

/** Processors multiply by tiles; the operator takes two of 16 rows at a time. */
const tiles = 32;

/** Rows of a matrix from `first` on. */
export interface StripPart {
  readonly placed: Placed<QuantizedMatrix>;
  readonly first: number;
  readonly count: number;
  /** The first one's place in the strip. */
  readonly at: number;
}

/** Rows that are multiplied at once: of one matrix, or of several, one after the other. */
export interface Strip {
  readonly parts: readonly StripPart[];
  readonly rows: number;
}

/** All rows of matrices as wide as each other, in strips that are about as long as each other. */
export function stripsOf(placed: readonly Placed<QuantizedMatrix>[]): readonly Strip[] {
  const all = placed.reduce((sum, { matrix }) => sum + matrix.rows, 0);
  const each = Math.ceil(all / Math.ceil(all / longestStrip) / tiles) * tiles;
  const strips: { parts: StripPart[]; rows: number }[] = [];
  for (const one of placed) {
    for (let first = 0; first < one.matrix.rows; ) {
      if ((strips.at(-1)?.rows ?? each) === each) strips.push({ parts: [], rows: 0 });
      const strip = strips.at(-1)!;
      const count = Math.min(each - strip.rows, one.matrix.rows - first);
      strip.parts.push({ placed: one, first, count, at: strip.rows });
      strip.rows += count;
      first += count;
    }
  }
  return strips;
}
