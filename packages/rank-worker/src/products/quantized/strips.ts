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
  const each = evenLength(all, longestStrip);
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

/** The rows that make some columns of each of a step's outputs. */
export interface StripAcross extends Strip {
  /** The first of the columns. */
  readonly from: number;
  /** As many as in the first strip, but in the last, which may have less. */
  readonly columns: number;
}

/**
 * All rows of the matrices of outputs as wide as each other, in strips that have the same columns of each: a tile's at
 * least, so that those of more than twenty outputs are longer than {@link longestStrip}.
 *
 * @param outputs how many
 * @param width of each
 */
export function stripsAcross(
  placed: readonly Placed<QuantizedMatrix>[],
  outputs: number,
  width: number,
): readonly StripAcross[] {
  const most = Math.max(tiles, Math.floor(longestStrip / outputs / tiles) * tiles);
  const each = evenLength(width, most);
  return Array.from({ length: Math.ceil(width / each) }, (_, index) => {
    const from = index * each;
    const columns = Math.min(each, width - from);
    let at = 0;
    const parts = placed.flatMap((one): StripPart[] => {
      const { offset, rows } = one.matrix;
      const first = Math.max(0, from - offset);
      const count = Math.min(rows, from + columns - offset) - first;
      if (count <= 0) return [];
      at += count;
      return [{ placed: one, first, count, at: at - count }];
    });
    return { parts, rows: at, from, columns };
  });
}

/** The length of pieces of whole tiles, none longer than `most`, that are about as long as each other. */
function evenLength(all: number, most: number): number {
  return Math.ceil(all / Math.ceil(all / most) / tiles) * tiles;
}
