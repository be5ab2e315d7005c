// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Rows of activations made whole numbers, one scale for each row and group of elements: x ≈ scale · q with
// scale = max |x| / 127. A row of which a few elements are much larger than the others would lose those, so what its
// rounding leaves is rounded once more, to 1/254 of the scale: x ≈ scale · (q + q′ / 254). Such rows come first.
//
// Numbers are laid out the other way round, elements by rows, as what a matrix is multiplied by, in panels of so many
// rows as are multiplied at once. A row with an infinity or NaN has a scale that is none either, and so is every product.

import { blockBytes, whole } from "./blocks";
import { largestLane, madd, rounded, roundingAddend } from "../../vectors";

/** Rows that are filled up to as many, and elements of each that are turned round at once. */
const tile: usize = 16;

/** Rows that are rounded before they are turned round: tiles of as many as make a line of the caches. */
const band: usize = 64;

/** Columns of a panel, of which the last may have fewer: src/products/quantized/panels.ts. */
const panel: usize = 128;

/**
 * A group of each of `rows` rows. Columns are rows in another order, filled up to 16. Addresses are in bytes.
 *
 * @param x the group's first element in the first row
 * @param rowBytes from one row to the next
 * @param bytes of the group's floats in a row
 * @param flip bits of each byte that are turned over: 0, or 128 for unsigned bytes of which 128 is 0
 * @param most by how many times its root mean square a row's largest element may surpass it and be rounded once
 * @param out by panel `[elements, filled up to 32, its columns]`, a byte each
 * @param rests likewise, of rows that are rounded twice alone
 * @param scales `[columns]`
 * @param order `[columns]`: which row is in which column
 * @param scratch room for 128 rows of the group, a byte each and 64 more, for a float of each row, and for a block
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
  const elements = ((<usize>bytes + blockBytes - 1) / blockBytes) << 5;
  // So long that rows of a band do not all lie in the same few sets of a cache.
  const bandRow = elements + 64;
  const once = scratch;
  const left = once + band * bandRow;
  const padded = left + band * bandRow;
  const largests = padded + blockBytes;
  const twice = orderRows(x, rows, rowBytes, bytes, most, order, largests, padded);
  const flips = i8x16.splat(<i8>flip);
  const columns = filledUp(rows);
  const restColumns = filledUp(twice);
  for (let first: usize = 0; first < columns; first += band) {
    const end = min(columns, first + band);
    for (let column = first; column < end; column++) {
      const q = once + (column - first) * bandRow;
      const isRow = column < rows;
      const row = isRow ? <usize>load<u32>(order + (column << 2)) : 0;
      const largest = isRow ? load<f32>(largests + (row << 2)) : 0;
      store<f32>(scales + (column << 2), largest / 127);
      const inverse = f32x4.splat(largest === 0 ? 0 : 127 / largest);
      const rest = column < twice ? q + (left - once) : 0;
      roundRow(x + row * rowBytes, bytes, inverse, flips, q, rest, padded);
    }
    turnIntoPanel(once, bandRow, elements, first, end, out, columns);
    if (first < restColumns) {
      turnIntoPanel(left, bandRow, elements, first, min(end, restColumns), rests, restColumns);
    }
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
    // Four of each, since one operation waits for the last of its own.
    let largestA = f32x4.splat(0);
    let largestB = f32x4.splat(0);
    let largestC = f32x4.splat(0);
    let largestD = f32x4.splat(0);
    let squaresA = f32x4.splat(0);
    let squaresB = f32x4.splat(0);
    let squaresC = f32x4.splat(0);
    let squaresD = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += blockBytes) {
      const block = whole(x + at, bytes - at, padded);
      for (let i: usize = 0; i < blockBytes; i += 64) {
        const a = v128.load(block + i);
        const b = v128.load(block + i, 16);
        const c = v128.load(block + i, 32);
        const d = v128.load(block + i, 48);
        // In one instruction, which passes over a NaN.
        largestA = f32x4.pmax(largestA, f32x4.abs(a));
        largestB = f32x4.pmax(largestB, f32x4.abs(b));
        largestC = f32x4.pmax(largestC, f32x4.abs(c));
        largestD = f32x4.pmax(largestD, f32x4.abs(d));
        squaresA = madd(a, a, squaresA);
        squaresB = madd(b, b, squaresB);
        squaresC = madd(c, c, squaresC);
        squaresD = madd(d, d, squaresD);
      }
    }
    const square = sumLanes(f32x4.add(f32x4.add(squaresA, squaresB), f32x4.add(squaresC, squaresD)));
    const largest = f32x4.pmax(f32x4.pmax(largestA, largestB), f32x4.pmax(largestC, largestD));
    const largestOfAll = isNaN(square) ? square : largestLane(largest);
    store<f32>(largests + (row << 2), largestOfAll);
    if (largestOfAll > most * sqrt(square / <f32>(bytes >> 2))) store<u32>(order + (twice++ << 2), <u32>row);
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
  for (let at: usize = 0; at < bytes; at += blockBytes) {
    const block = whole(x + at, bytes - at, padded);
    for (let i: usize = 0; i < blockBytes; i += 64, out += 16) {
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

/** Sixteen numbers up to 127, to the nearest whole ones, halves to the even one. */
@inline
function sixteen(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(rounded(a), rounded(b)),
    i16x8.narrow_i32x4_s(rounded(c), rounded(d)),
  );
}

/** What rounding leaves, in 254ths. */
@inline
function restOf(x: v128): v128 {
  const magic = f32x4.splat(roundingAddend);
  return f32x4.mul(f32x4.sub(x, f32x4.sub(f32x4.add(x, magic), magic)), f32x4.splat(254));
}

@inline
function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** Turns rows round that are the columns from `first` to before `end`, all of one panel. */
@inline
function turnIntoPanel(
  from: usize,
  fromRow: usize,
  elements: usize,
  first: usize,
  end: usize,
  panels: usize,
  columns: usize,
): void {
  const start = first - (first % panel);
  const to = panels + start * elements + (first - start);
  turn(from, fromRow, elements, end - first, to, min(panel, columns - start));
}

/** Turns rows round, eight of them and 16 elements at a time. */
function turn(from: usize, fromRow: usize, elements: usize, rows: usize, to: usize, toRow: usize): void {
  for (let element: usize = 0; element < elements; element += tile) {
    for (let row: usize = 0; row < rows; row += 8) {
      const at = from + row * fromRow + element;
      const four = at + 4 * fromRow;
      const a = v128.load(at);
      const b = v128.load(at + fromRow);
      const c = v128.load(at + 2 * fromRow);
      const d = v128.load(at + 3 * fromRow);
      const e = v128.load(four);
      const f = v128.load(four + fromRow);
      const g = v128.load(four + 2 * fromRow);
      const h = v128.load(four + 3 * fromRow);
      const out = to + element * toRow + row;
      turnHalf(low(a, e), low(b, f), low(c, g), low(d, h), out, toRow);
      turnHalf(high(a, e), high(b, f), high(c, g), high(d, h), out + 8 * toRow, toRow);
    }
  }
}

/** Of eight elements of each row: of the first and the fifth row, the second and the sixth and so on. */
@inline
function turnHalf(ae: v128, bf: v128, cg: v128, dh: v128, out: usize, toRow: usize): void {
  const evenLow = low(ae, cg);
  const oddLow = low(bf, dh);
  const evenHigh = high(ae, cg);
  const oddHigh = high(bf, dh);
  storeTwo(low(evenLow, oddLow), out, toRow);
  storeTwo(high(evenLow, oddLow), out + 2 * toRow, toRow);
  storeTwo(low(evenHigh, oddHigh), out + 4 * toRow, toRow);
  storeTwo(high(evenHigh, oddHigh), out + 6 * toRow, toRow);
}

@inline
function storeTwo(elements: v128, out: usize, toRow: usize): void {
  v128.store_lane<u64>(out, elements, 0);
  v128.store_lane<u64>(out + toRow, elements, 1);
}

/** The lower halves of two, byte by byte in turns. */
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** The upper halves. */
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
