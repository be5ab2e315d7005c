// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// What a group of weights (group-weights.ts) and one of activations (group-activations.ts) make, as floats, turned round
// and added to what other groups have made.

import { madd } from "./vectors";

/** Columns whose sums are added together, so that lines of outputs stay near until they are full. */
const inTile: usize = 32;

/**
 * `out[row][i] = bias[i]`: where sums begin. Addresses are in bytes.
 *
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 */
export function beginSums(bias: usize, out: usize, outBytes: u32, rows: u32, count: u32): void {
  const bytes = <usize>count << 2;
  for (let row: u32 = 0; row < rows; row++, out += outBytes) {
    if (bias === 0) memory.fill(out, 0, bytes);
    else memory.copy(out, bias, bytes);
  }
}

/**
 * `out[order[c]][i] += factor · columnScales[c] · scales[i] · sums[i][c]`. Addresses are in bytes.
 *
 * @param sums `[count, columns, filled up to 16]`, int32, and room for up to 3 rows more
 * @param scales `[count]`, and room for up to 3 more
 * @param columnScales `[columns]`, and room for up to 15 more
 * @param order `[columns]`: which row is in which column
 * @param outBytes from one row of `out` to the next
 */
export function addGroup(
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
  const sumBytes = ((<usize>columns + 15) >> 4) << 6;
  for (let first: usize = 0; first < columns; first += inTile) {
    const end = min<usize>(columns, first + inTile);
    for (let i: usize = 0; i < count; i += 4) {
      const there = min<usize>(4, <usize>count - i);
      const scale = f32x4.mul(v128.load(scales + (i << 2)), f32x4.splat(factor));
      const to = out + (i << 2);
      for (let column = first; column < end; column += 4) {
        const at = sums + i * sumBytes + (column << 2);
        const a = v128.load(at);
        const b = v128.load(at + sumBytes);
        const c = v128.load(at + 2 * sumBytes);
        const d = v128.load(at + 3 * sumBytes);
        const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
        const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
        const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
        const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
        const scaleAt = columnScales + (column << 2);
        const rowAt = order + (column << 2);
        const left = end - column;
        addFour(to + rowOf(rowAt) * outBytes, v128.shuffle<i64>(abLow, cdLow, 0, 2), scale, scaleAt, there);
        if (left > 1)
          addFour(to + rowOf(rowAt + 4) * outBytes, v128.shuffle<i64>(abLow, cdLow, 1, 3), scale, scaleAt + 4, there);
        if (left > 2)
          addFour(to + rowOf(rowAt + 8) * outBytes, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), scale, scaleAt + 8, there);
        if (left > 3)
          addFour(to + rowOf(rowAt + 12) * outBytes, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), scale, scaleAt + 12, there);
      }
    }
  }
}

@inline
function rowOf(order: usize): usize {
  return load<u32>(order);
}

/** Adds the first `there` of four sums of a row, times their scales. */
@inline
function addFour(out: usize, sums: v128, scale: v128, columnScale: usize, there: usize): void {
  const factor = f32x4.mul(scale, v128.load_splat<f32>(columnScale));
  const sum = madd(f32x4.convert_i32x4_s(sums), factor, v128.load(out));
  if (there === 4) {
    v128.store(out, sum);
    return;
  }
  v128.store_lane<f32>(out, sum, 0);
  if (there > 1) v128.store_lane<f32>(out, sum, 1, 4);
  if (there > 2) v128.store_lane<f32>(out, sum, 2, 8);
}
