// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// What a group of weights (group-weights.ts) and one of activations (group-activations.ts) make, as floats, turned
// round and added to what other groups have made.

import { madd } from "../../vectors";

/**
 * `out[order[c]][i] = bias[i] + columnScales[c] · scales[i] · sums[i][c]`. Addresses are in bytes.
 *
 * @param sums `[count, columns, filled up to 16]`, int32, and room for up to 3 rows more
 * @param scales `[count]`, and room for up to 3 more
 * @param columnScales `[columns]`, and room for up to 15 more
 * @param order `[columns]`: which row is in which column
 * @param bias 0 for none; there is room for 3 more
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
 * Four rows of `out` from end to end after each other: what processors read ahead of what is written. Their sums lie in
 * lines with those of other rows, and are near.
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
    for (let i: usize = 0; i < count; i += 4) {
      const at = sums + i * sumBytes + (column << 2);
      const p = v128.load(at);
      const q = v128.load(at + sumBytes);
      const r = v128.load(at + 2 * sumBytes);
      const s = v128.load(at + 3 * sumBytes);
      const pqLow = v128.shuffle<i32>(p, q, 0, 4, 1, 5);
      const pqHigh = v128.shuffle<i32>(p, q, 2, 6, 3, 7);
      const rsLow = v128.shuffle<i32>(r, s, 0, 4, 1, 5);
      const rsHigh = v128.shuffle<i32>(r, s, 2, 6, 3, 7);
      const to = i << 2;
      const scale = v128.load(scales + to);
      const base = bias === 0 ? f32x4.splat(0) : v128.load(bias + to);
      const there = count - i;
      if (left > 3) write(adds, d + to, v128.shuffle<i64>(pqHigh, rsHigh, 1, 3), scale, dScale, base, there);
      if (left > 2) write(adds, c + to, v128.shuffle<i64>(pqHigh, rsHigh, 0, 2), scale, cScale, base, there);
      if (left > 1) write(adds, b + to, v128.shuffle<i64>(pqLow, rsLow, 1, 3), scale, bScale, base, there);
      write(adds, a + to, v128.shuffle<i64>(pqLow, rsLow, 0, 2), scale, aScale, base, there);
    }
  }
}

/** The first `there` of four sums of a row, times their scales, and what they are added to. */
@inline
function write(adds: bool, out: usize, sums: v128, scale: v128, columnScale: v128, base: v128, there: usize): void {
  const before = adds ? v128.load(out) : base;
  const sum = madd(f32x4.convert_i32x4_s(sums), f32x4.mul(scale, columnScale), before);
  if (there > 3) {
    v128.store(out, sum);
    return;
  }
  v128.store_lane<f32>(out, sum, 0);
  if (there > 1) v128.store_lane<f32>(out, sum, 1, 4);
  if (there > 2) v128.store_lane<f32>(out, sum, 2, 8);
}
