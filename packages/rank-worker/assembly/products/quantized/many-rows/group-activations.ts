// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Rounds rows of activations to integers, with a scale for each row and group of elements: x ≈ scale · q with
// scale = max |x| / 127. If a few elements of a row are much larger than the others, the others would lose too much. So
// the residual of the rounding is rounded once more, with a 254th of the scale: x ≈ scale · (q + q′ / 254). Such rows
// come first.
//
// The integers are transposed, as the right operand of a product, in panels of as many rows as are multiplied at once.
// If a row has an infinity or NaN, its scale is not finite, and none of its products is.

import { blockBytes, whole } from "../blocks";
import { constant, largestLane, madd, magnitudeBits, rounded, rounding, storePair, sumLanes } from "../../../vectors";

/** Rows are padded to a multiple of this, and as many elements of each are transposed at a time. */
const tile: usize = 16;

/** Rows that are rounded before they are transposed: as many bytes as a cache line has. */
const band: usize = 64;

/** How many times finer residuals are rounded. */
const fineness = memory.data<f32>([254]);

/** Columns of a panel; the last one may have fewer (src/products/quantized/many-rows/panels.ts). */
const panel: usize = 128;

/**
 * Rounds one group of elements of each of `rows` rows. Columns are the rows in another order, padded to a multiple of
 * 16. Addresses are in bytes.
 *
 * @param x the group's first element in the first row
 * @param rowBytes from one row to the next
 * @param bytes of the group's floats in a row
 * @param flip bits to invert in each byte: 0, or 128 for unsigned bytes whose zero point is 128
 * @param most rows whose largest magnitude is more than `most` times their root mean square are rounded twice
 * @param out `[elements, columns]` of each panel, a byte each, where elements are padded to a multiple of 32
 * @param rests likewise, the residuals of the rows that are rounded twice
 * @param scales `[columns]`
 * @param order `[rows]`: the row of each column
 * @param scratch room for 128 rows of a byte per element and 64 more, for a block of floats, and for a float per row
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
  // Longer than a row, so that the rows of a band do not all lie in the same few sets of a cache.
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
    transposeIntoPanel(once, bandRow, elements, first, end, out, columns);
    if (first < restColumns) {
      transposeIntoPanel(left, bandRow, elements, first, min(end, restColumns), rests, restColumns);
    }
  }
  return twice;
}

/**
 * Puts rows that are rounded twice before all others.
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
    // Four accumulators of each kind, since an operation waits for the one before it on the same accumulator.
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
        // One instruction, unlike `max`. It passes over NaN, which the squares keep.
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

/** The number of rows, rounded up to whole tiles. */
@inline
function filledUp(rows: usize): usize {
  return ((rows + tile - 1) / tile) * tile;
}

/**
 * Rounds a row of a group to bytes. In each block, the even fours of elements come before the odd ones: 0–3, 8–11,
 * 16–19, 24–27, 4–7, 12–15, 20–23, 28–31. So two neighbouring vectors are the two halves of a pair from the load to the
 * store.
 *
 * @param rest where to write the residuals; 0 for nowhere
 * @param padded room for a block of floats
 */
function roundRow(x: usize, bytes: usize, inverse: f32, flip: i32, out: usize, rest: usize, padded: usize): void {
  // Vectors are made here, since V8 does not pair parameters.
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

/** Rounds sixteen numbers of up to 127 in magnitude to the nearest integers, halves to even. */
@inline
function sixteen(a: v128, b: v128, c: v128, d: v128, addend: v128, flips: v128): v128 {
  const first = i16x8.narrow_i32x4_s(rounded(a, addend), rounded(b, addend));
  const second = i16x8.narrow_i32x4_s(rounded(c, addend), rounded(d, addend));
  return v128.xor(i8x16.narrow_i16x8_s(first, second), flips);
}

/** The residuals of rounding sixteen numbers, in units of 1/254. */
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

/** Transposes rows to columns `first` to `end` (exclusive), all of one panel. */
@inline
function transposeIntoPanel(
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
  transpose(from, fromRow, elements, end - first, to, min(panel, columns - start));
}

/** Transposes rows that `roundRow` wrote, eight rows by 16 elements at a time. */
function transpose(from: usize, fromRow: usize, elements: usize, rows: usize, to: usize, toRow: usize): void {
  for (let element: usize = 0; element < elements; element += tile) {
    // In each block, the odd fours come after the even ones.
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
      transposeHalf(low(a, e), low(b, f), low(c, g), low(d, h), out, toRow);
      transposeHalf(high(a, e), high(b, f), high(c, g), high(d, h), out + 16 * toRow, toRow);
    }
  }
}

/** Transposes two fours of each of eight rows. Each vector has those of two rows, byte by byte in turns. */
@inline
function transposeHalf(ae: v128, bf: v128, cg: v128, dh: v128, out: usize, toRow: usize): void {
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

/** The lower halves of two vectors, byte by byte in turns. */
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** The upper halves. */
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
