// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Rows of activations made whole numbers, one scale for each row and group of elements: x ≈ scale · q with
// scale = max |x| / 127. A row of which a few elements are much larger than the others would lose those, so what its
// rounding leaves is rounded once more, to 1/254 of the scale: x ≈ scale · (q + q′ / 254). Such rows come first.
//
// Numbers are laid out the other way round, elements by rows, as what a matrix is multiplied by, in panels of so many
// rows as are multiplied at once. A row with an infinity or NaN has a scale that is none either, and so is every product.

import { blockBytes, whole } from "./blocks";
import { constant, largestLane, madd, magnitudeBits, rounded, rounding, storePair } from "../../vectors";

/** Rows that are filled up to as many, and elements of each that are turned round at once. */
const tile: usize = 16;

/** Rows that are rounded before they are turned round: tiles of as many as make a line of the caches. */
const band: usize = 64;

/** How much finer rests are. */
const fineness = memory.data<f32>([254]);

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
      const inverse: f32 = largest === 0 ? 0 : 127 / largest;
      const rest = column < twice ? q + (left - once) : 0;
      roundRow(x + row * rowBytes, bytes, inverse, flip, q, rest, padded);
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
  const magnitude = constant(magnitudeBits);
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
        largestA = f32x4.pmax(largestA, v128.and(a, magnitude));
        largestB = f32x4.pmax(largestB, v128.and(b, magnitude));
        largestC = f32x4.pmax(largestC, v128.and(c, magnitude));
        largestD = f32x4.pmax(largestD, v128.and(d, magnitude));
        squaresA = madd(a, a, squaresA);
        squaresB = madd(b, b, squaresB);
        squaresC = madd(c, c, squaresC);
        squaresD = madd(d, d, squaresD);
      }
    }
    // Stored as pairs, so that V8 computes them as pairs.
    v128.store(padded, f32x4.pmax(largestB, largestD), 48);
    v128.store(padded, f32x4.pmax(largestA, largestC), 32);
    v128.store(padded, f32x4.add(squaresB, squaresD), 16);
    v128.store(padded, f32x4.add(squaresA, squaresC));
    const square = sumLanes(f32x4.add(v128.load(padded), v128.load(padded, 16)));
    const largest = largestLane(f32x4.pmax(v128.load(padded, 32), v128.load(padded, 48)));
    const largestOfAll = isNaN(square) ? square : largest;
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
 * A row of a group as bytes. Of each block there are, in fours, the even fours, and then the odd ones: 0–3, 8–11, 16–19,
 * 24–27, 4–7, 12–15, 20–23, 28–31. So two neighbouring vectors stay two halves of a pair from the load on.
 *
 * @param rest where what is left goes; 0 for nowhere
 * @param padded room for a block of floats
 */
function roundRow(x: usize, bytes: usize, inverse: f32, flip: i32, out: usize, rest: usize, padded: usize): void {
  // Vectors are no parameters, of which V8 would not make one of two.
  const factor = f32x4.splat(inverse);
  const flips = i8x16.splat(<i8>flip);
  const addend = constant(rounding);
  const finer = constant(fineness);
  for (let at: usize = 0; at < bytes; at += blockBytes, out += 32) {
    const block = whole(x + at, bytes - at, padded);
    const a = f32x4.mul(v128.load(block), factor);
    const b = f32x4.mul(v128.load(block, 16), factor);
    const c = f32x4.mul(v128.load(block, 32), factor);
    const d = f32x4.mul(v128.load(block, 48), factor);
    const e = f32x4.mul(v128.load(block, 64), factor);
    const f = f32x4.mul(v128.load(block, 80), factor);
    const g = f32x4.mul(v128.load(block, 96), factor);
    const h = f32x4.mul(v128.load(block, 112), factor);
    storePair(out, sixteen(a, c, e, g, addend, flips), sixteen(b, d, f, h, addend, flips));
    if (rest === 0) continue;
    storePair(
      rest,
      restsOf(a, c, e, g, addend, finer, flips),
      restsOf(b, d, f, h, addend, finer, flips),
    );
    rest += 32;
  }
}

/** Sixteen numbers up to 127, to the nearest whole ones, halves to the even one. */
@inline
function sixteen(a: v128, b: v128, c: v128, d: v128, addend: v128, flips: v128): v128 {
  const first = i16x8.narrow_i32x4_s(rounded(a, addend), rounded(b, addend));
  const second = i16x8.narrow_i32x4_s(rounded(c, addend), rounded(d, addend));
  return v128.xor(i8x16.narrow_i16x8_s(first, second), flips);
}

/** What rounding leaves of sixteen numbers, in 254ths. */
@inline
function restsOf(a: v128, b: v128, c: v128, d: v128, addend: v128, finer: v128, flips: v128): v128 {
  return sixteen(
    restOf(a, addend, finer),
    restOf(b, addend, finer),
    restOf(c, addend, finer),
    restOf(d, addend, finer),
    addend,
    flips,
  );
}

@inline
function restOf(x: v128, addend: v128, finer: v128): v128 {
  return f32x4.mul(f32x4.sub(x, f32x4.sub(f32x4.add(x, addend), addend)), finer);
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

/** Turns rows of `roundRow` round, eight of them and 16 elements at a time. */
function turn(from: usize, fromRow: usize, elements: usize, rows: usize, to: usize, toRow: usize): void {
  for (let element: usize = 0; element < elements; element += tile) {
    // Of a block, the odd fours come after the even ones.
    const first = (element & 16) === 0 ? element : element - 12;
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
      const out = to + first * toRow + row;
      turnHalf(low(a, e), low(b, f), low(c, g), low(d, h), out, toRow);
      turnHalf(high(a, e), high(b, f), high(c, g), high(d, h), out + 16 * toRow, toRow);
    }
  }
}

/** Of two fours of each row: of the first and the fifth row, the second and the sixth and so on. */
@inline
function turnHalf(ae: v128, bf: v128, cg: v128, dh: v128, out: usize, toRow: usize): void {
  const evenLow = low(ae, cg);
  const oddLow = low(bf, dh);
  const evenHigh = high(ae, cg);
  const oddHigh = high(bf, dh);
  storeTwo(low(evenLow, oddLow), out, toRow);
  storeTwo(high(evenLow, oddLow), out + 2 * toRow, toRow);
  storeTwo(low(evenHigh, oddHigh), out + 8 * toRow, toRow);
  storeTwo(high(evenHigh, oddHigh), out + 10 * toRow, toRow);
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
