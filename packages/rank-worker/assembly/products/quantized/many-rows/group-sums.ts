// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Scales the integer products of a group of weights (group-weights.ts) and of activations (group-activations.ts),
// transposes them, and adds them to the results of other groups.

import { firstLanes, fourthLanes, madd, secondLanes, storePair, thirdLanes } from "../../../vectors";

/**
 * `out[order[c]][i] = bias[i] + columnScales[c] · scales[i] · sums[i][c]`. Addresses are in bytes.
 *
 * @param sums `[count, columns]`, int32, where columns are padded to a multiple of 16; up to 3 more rows may be read
 * @param scales `[count]`; up to 3 more may be read
 * @param columnScales `[columns]`; up to 3 more may be read
 * @param order `[columns]`: the row of `out` for each column
 * @param bias 0 for none; up to 3 more elements may be read
 * @param outBytes from one row of `out` to the next
 */
export function beginSums(
  sums: usize,
  scales: usize,
  columnScales: usize,
  order: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  columns: u32,
  count: u32,
): void {
  if (bias === 0) rows(false, 0, sums, scales, columnScales, 1, order, out, outBytes, columns, count);
  else rows(false, bias, sums, scales, columnScales, 1, order, out, outBytes, columns, count);
}

/** `out[order[c]][i] += factor · columnScales[c] · scales[i] · sums[i][c]`, likewise. */
export function addSums(
  sums: usize,
  scales: usize,
  columnScales: usize,
  factor: f32,
  order: usize,
  out: usize,
  outBytes: u32,
  columns: u32,
  count: u32,
): void {
  rows(true, 0, sums, scales, columnScales, factor, order, out, outBytes, columns, count);
}

/**
 * Writes four rows of `out` from beginning to end, then the next four: processors prefetch what is written only if it
 * is adjacent. Sums are read out of order instead, which are in the cache.
 */
@inline
function rows(
  adds: bool,
  bias: usize,
  sums: usize,
  scales: usize,
  columnScales: usize,
  factor: f32,
  order: usize,
  out: usize,
  outBytes: usize,
  columns: usize,
  count: usize,
): void {
  const sumBytes = ((columns + 15) >> 4) << 6;
  for (let column: usize = 0; column < columns; column += 4) {
    const left = columns - column;
    const rows = order + (column << 2);
    const a = out + <usize>load<u32>(rows) * outBytes;
    const b = left > 1 ? out + <usize>load<u32>(rows, 4) * outBytes : a;
    const c = left > 2 ? out + <usize>load<u32>(rows, 8) * outBytes : a;
    const d = left > 3 ? out + <usize>load<u32>(rows, 12) * outBytes : a;
    const four = f32x4.mul(v128.load(columnScales + (column << 2)), f32x4.splat(factor));
    const aScale = v128.shuffle<i32>(four, four, 0, 0, 0, 0);
    const bScale = v128.shuffle<i32>(four, four, 1, 1, 1, 1);
    const cScale = v128.shuffle<i32>(four, four, 2, 2, 2, 2);
    const dScale = v128.shuffle<i32>(four, four, 3, 3, 3, 3);
    let i: usize = 0;
    if (left > 3) {
      for (; i + 8 <= count; i += 8) {
        const at = sums + i * sumBytes + (column << 2);
        const next = at + 4 * sumBytes;
        const p = v128.load(at);
        const q = v128.load(at + sumBytes);
        const r = v128.load(at + 2 * sumBytes);
        const s = v128.load(at + 3 * sumBytes);
        const t = v128.load(next);
        const u = v128.load(next + sumBytes);
        const v = v128.load(next + 2 * sumBytes);
        const w = v128.load(next + 3 * sumBytes);
        const to = i << 2;
        const scale = scales + to;
        writePair(adds, a + to, firstLanes(p, q, r, s), firstLanes(t, u, v, w), scale, aScale, bias, to);
        writePair(adds, b + to, secondLanes(p, q, r, s), secondLanes(t, u, v, w), scale, bScale, bias, to);
        writePair(adds, c + to, thirdLanes(p, q, r, s), thirdLanes(t, u, v, w), scale, cScale, bias, to);
        writePair(adds, d + to, fourthLanes(p, q, r, s), fourthLanes(t, u, v, w), scale, dScale, bias, to);
      }
    }
    for (; i < count; i += 4) {
      const at = sums + i * sumBytes + (column << 2);
      const p = v128.load(at);
      const q = v128.load(at + sumBytes);
      const r = v128.load(at + 2 * sumBytes);
      const s = v128.load(at + 3 * sumBytes);
      const to = i << 2;
      const scale = v128.load(scales + to);
      const base = baseOf(bias, to);
      const there = count - i;
      if (left > 3) write(adds, d + to, fourthLanes(p, q, r, s), scale, dScale, base, there);
      if (left > 2) write(adds, c + to, thirdLanes(p, q, r, s), scale, cScale, base, there);
      if (left > 1) write(adds, b + to, secondLanes(p, q, r, s), scale, bScale, base, there);
      write(adds, a + to, firstLanes(p, q, r, s), scale, aScale, base, there);
    }
  }
}

/** Like `write`, for eight sums of a row in two vectors. */
@inline
function writePair(
  adds: bool,
  out: usize,
  first: v128,
  second: v128,
  scales: usize,
  columnScale: v128,
  bias: usize,
  to: usize,
): void {
  const one = scaled(adds, out, first, v128.load(scales), columnScale, baseOf(bias, to));
  const other = scaled(adds, out + 16, second, v128.load(scales, 16), columnScale, baseOf(bias, to + 16));
  storePair(out, one, other);
}

/** Scales the first `there` of four sums of a row and adds them to `base`, or to what is there. */
@inline
function write(adds: bool, out: usize, sums: v128, scale: v128, columnScale: v128, base: v128, there: usize): void {
  const sum = scaled(adds, out, sums, scale, columnScale, base);
  if (there > 3) {
    v128.store(out, sum);
    return;
  }
  v128.store_lane<f32>(out, sum, 0);
  if (there > 1) v128.store_lane<f32>(out, sum, 1, 4);
  if (there > 2) v128.store_lane<f32>(out, sum, 2, 8);
}

@inline
function scaled(adds: bool, out: usize, sums: v128, scale: v128, columnScale: v128, base: v128): v128 {
  return madd(f32x4.convert_i32x4_s(sums), f32x4.mul(scale, columnScale), adds ? v128.load(out) : base);
}

@inline
function baseOf(bias: usize, to: usize): v128 {
  return bias === 0 ? f32x4.splat(0) : v128.load(bias + to);
}
