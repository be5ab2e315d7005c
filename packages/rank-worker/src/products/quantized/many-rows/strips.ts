import type { Placed } from "../../placed.js";
import type { QuantizedMatrix } from "../blocks.js";

/** The most rows of a strip: as bytes, they and their products with a panel stay in a core's own cache. */
export const longestStrip = 640;

/** Processors multiply tiles; the operator processes two tiles of 16 rows at a time. */
const tiles = 32;

/** Rows of a matrix from `first` on. */
export interface StripPart {
  readonly placed: Placed<QuantizedMatrix>;
  readonly first: number;
  readonly count: number;
  /** The first row's index in the strip. */
  readonly at: number;
}

/** Rows that are multiplied at once: of one matrix, or of several, one after the other. */
export interface Strip {
  readonly parts: readonly StripPart[];
  readonly rows: number;
}

/** All rows of matrices with the same width, in strips of about equal length. */
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

/** The rows that compute some columns of each of a step's outputs. */
export interface StripAcross extends Strip {
  /** The first of the columns. */
  readonly from: number;
  /** The same as in the first strip, except in the last one, which may have fewer. */
  readonly columns: number;
}

/**
 * All rows of the matrices of outputs with the same width, in strips that have the same columns of each output. A strip
 * has at least one tile of each, so with more than twenty outputs, strips are longer than {@link longestStrip}.
 *
 * @param outputs number of outputs
 * @param width the width of each
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

/** The length of pieces that consist of whole tiles, are not longer than `most`, and are about equally long. */
function evenLength(all: number, most: number): number {
  return Math.ceil(all / Math.ceil(all / most) / tiles) * tiles;
}
