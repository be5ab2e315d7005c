// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Rows of activations made whole numbers, one scale for each row and group of elements: x ≈ scale · q with
// scale = max |x| / 127. A row of which a few elements are much larger than the others would lose those, so what its
// rounding leaves is rounded once more, to 1/254 of the scale: x ≈ scale · (q + q′ / 254). Such rows come first.
//
// Numbers are laid out the other way round, elements by rows, as what a matrix is multiplied by. A row with an infinity
// or NaN has a scale that is none either, and so is every product.

import { blockFloats, largest, whole } from "./blocks";

/** Rows that are turned round together, and as many elements of each. */
const tile: usize = 16;

/** Bytes of a tile. */
const tileBytes: usize = 256;

/**
 * A group of each of `rows` rows. Columns are rows in another order, filled up to 16. Addresses are in bytes.
 *
 * @param x the group's first element in the first row
 * @param rowBytes from one row to the next
 * @param bytes of the group's floats in a row
 * @param flip bits of each byte that are turned over: 0, or 128 for unsigned bytes of which 128 is 0
 * @param most by how many times its root mean square a row's largest element may surpass it and be rounded once
 * @param out `[elements, filled up to 32, columns]`, a byte each
 * @param rests `[elements, filled up to 32, columns]`, of rows that are rounded twice alone
 * @param scales `[columns]`
 * @param order `[columns]`: which row is in which column
 * @param scratch room for 32 rows of the group, a byte each, for a float of each row, and for 640 bytes
 * @returns how many rows are rounded twice
 */
export function groupActivations(
  x: usize,
  rows: u32,
  rowBytes: u32,
  bytes: u32,
  flip: i32,
  most: f32,
  out: usize,
  rests: usize,
  scales: usize,
  order: usize,
  scratch: usize,
): u32 {
  const elements = ((<usize>bytes + blockFloats - 1) / blockFloats) << 5;
  const tiles = scratch + 2 * tile * elements;
  const largests = tiles + 640;
  const twice = orderRows(x, rows, rowBytes, bytes, most, order, largests, tiles);
  const flips = i8x16.splat(<i8>flip);
  const columns = filledUp(rows);
  const restColumns = filledUp(twice);
  for (let column: usize = 0; column < columns; column += tile) {
    for (let inTile: usize = 0; inTile < tile; inTile++) {
      const q = scratch + inTile * elements;
      const rest = column < restColumns ? q + tile * elements : 0;
      const at = column + inTile;
      const isRow = at < rows;
      const row: usize = isRow ? load<u32>(order + (at << 2)) : 0;
      const largest = isRow ? load<f32>(largests + (row << 2)) : 0;
      store<f32>(scales + (at << 2), largest / 127);
      const inverse = f32x4.splat(largest === 0 ? 0 : 127 / largest);
      roundRow(x + row * rowBytes, bytes, inverse, flips, q, at < twice ? rest : 0, tiles);
      // Of others' rests nobody reads the sums.
      if (rest !== 0 && at >= twice) memory.fill(rest, 0, elements);
    }
    turnAll(scratch, elements, out + column, columns, tiles);
    if (column < restColumns) turnAll(scratch + tile * elements, elements, rests + column, restColumns, tiles);
  }
  return twice;
}

/**
 * Rows that are rounded twice in front of those that are not.
 *
 * @param largests `[rows]`: the largest magnitude of each
 * @returns how many are rounded twice
 */
function orderRows(
  x: usize,
  rows: usize,
  rowBytes: usize,
  bytes: usize,
  most: f32,
  order: usize,
  largests: usize,
  padded: usize,
): u32 {
  let twice: usize = 0;
  let once = order + (rows << 2);
  for (let row: usize = 0; row < rows; row++, x += rowBytes) {
    let largestOfAll: f32 = 0;
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += blockFloats) {
      const block = whole(x + at, bytes - at, padded);
      largestOfAll = max(largestOfAll, largest(block));
      for (let i: usize = 0; i < blockFloats; i += 16) {
        const four = v128.load(block + i);
        squares = f32x4.add(squares, f32x4.mul(four, four));
      }
    }
    store<f32>(largests + (row << 2), largestOfAll);
    const meanSquare = sumLanes(squares) / <f32>(bytes >> 2);
    if (largestOfAll > most * sqrt(meanSquare)) store<u32>(order + (twice++ << 2), <u32>row);
    else store<u32>((once -= 4), <u32>row);
  }
  return <u32>twice;
}

/** Rows, filled up to tiles. */
@inline
function filledUp(rows: usize): usize {
  return ((rows + tile - 1) / tile) * tile;
}

/**
 * A row of a group as bytes.
 *
 * @param rest where what is left goes; 0 for nowhere
 * @param padded room for a block of floats
 */
function roundRow(x: usize, bytes: usize, inverse: v128, flips: v128, out: usize, rest: usize, padded: usize): void {
  for (let at: usize = 0; at < bytes; at += blockFloats) {
    const block = whole(x + at, bytes - at, padded);
    for (let i: usize = 0; i < blockFloats; i += 64, out += 16) {
      const a = f32x4.mul(v128.load(block + i), inverse);
      const b = f32x4.mul(v128.load(block + i, 16), inverse);
      const c = f32x4.mul(v128.load(block + i, 32), inverse);
      const d = f32x4.mul(v128.load(block + i, 48), inverse);
      v128.store(out, v128.xor(sixteen(a, b, c, d), flips));
      if (rest !== 0) {
        v128.store(rest, v128.xor(sixteen(restOf(a), restOf(b), restOf(c), restOf(d)), flips));
        rest += 16;
      }
    }
  }
}

/** To the nearest, halves to the even one. */
@inline
function sixteen(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(nearest4(a), nearest4(b)), i16x8.narrow_i32x4_s(nearest4(c), nearest4(d)));
}

@inline
function nearest4(x: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(x));
}

/** What rounding leaves, in 254ths. */
@inline
function restOf(x: v128): v128 {
  return f32x4.mul(f32x4.sub(x, f32x4.nearest(x)), f32x4.splat(254));
}

@inline
function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** Turns a tile of rows round: `elements` of each. */
function turnAll(from: usize, elements: usize, to: usize, toRow: usize, scratch: usize): void {
  for (let element: usize = 0; element < elements; element += tile) {
    // Four times, the halves of all rows are interleaved, byte by byte.
    interleave(from + element, elements, scratch, tile);
    interleave(scratch, tile, scratch + tileBytes, tile);
    interleave(scratch + tileBytes, tile, scratch, tile);
    interleave(scratch, tile, to + element * toRow, toRow);
  }
}

@inline
function interleave(from: usize, fromRow: usize, to: usize, toRow: usize): void {
  for (let row: usize = 0; row < tile >> 1; row++, from += fromRow, to += 2 * toRow) {
    const a = v128.load(from);
    const b = v128.load(from + (tile >> 1) * fromRow);
    v128.store(to, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(to + toRow, v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
  }
}
