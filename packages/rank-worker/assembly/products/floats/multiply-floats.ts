// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.

import { add } from "../../add";
import { oneRow, twoRows } from "./float-rows";
import { quarterOf } from "../quarters";

/** Bytes of a matrix that stay in a core's own cache while all rows are multiplied by them. */
const tileBytes: usize = 131_072;

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`, all of float32. Addresses are in bytes.
 *
 * @param x `[rows, width]`
 * @param values `[count, width]`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 */
export function multiplyFloats(
  x: usize,
  rows: u32,
  values: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  width: u32,
): void {
  const rowBytes: usize = width << 2;
  let done: usize = 0;
  for (let left: usize = count; left >= 4; left = count - done) {
    const quarter = quarterOf(left, rowBytes);
    const inTile: usize = rows <= 2 ? quarter : max<usize>(1, tileBytes / max<usize>(rowBytes << 2, 1));
    for (let first: usize = 0; first < quarter; first += inTile) {
      const n = min(inTile, quarter - first);
      const at = done + first;
      byQuarters(x, rows, values + at * rowBytes, quarter * rowBytes, out + (at << 2), outBytes, quarter << 2, n, width);
    }
    done += quarter << 2;
  }
  // Up to three rows of the matrix are left: each is all four of a quarter's.
  if (done < count) byQuarters(x, rows, values + done * rowBytes, 0, out + (done << 2), outBytes, 0, count - done, width);
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, count);
}

/** All rows by `count` rows of each quarter. */
@inline
function byQuarters(
  x: usize,
  rows: usize,
  values: usize,
  toQuarter: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  let left = rows;
  for (; left >= 2; left -= 2, x += width << 3, out += outBytes << 1)
    twoRows(x, values, toQuarter, out, outBytes, toOutput, count, width);
  if (left > 0) oneRow(x, values, toQuarter, out, toOutput, count, width);
}
