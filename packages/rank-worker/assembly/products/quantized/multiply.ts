// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Few rows of activations times a matrix of quantized weights as MatMulNBits has them: rows of blocks of 32 weights, of
// 4 bits (the even element in the low half of a byte) or 8, and a scale for each block. Activations are taken four by
// four, what is left of them two by two or one by one.

import { add } from "../../add";
import { fourRows4, fourRows8 } from "./four-rows";
import { oneRow4, oneRow8 } from "./one-row";
import { quarterOf } from "../quarters";
import { twoRows4 } from "./two-rows";
import { fourBytes4, fourBytes8, fours, oneBytes4, oneBytes8 } from "./quantized-rows";

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`, weights of 4 bits. Addresses are in bytes.
 *
 * @param x of `quantize4`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 * @param count rows of the matrix
 * @param blocks of a row
 */
export function multiply4(
  x: usize,
  rows: u32,
  values: usize,
  scales: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  multiply(4, x, rows, values, scales, bias, out, outBytes, count, blocks);
}

/** Likewise, weights of 8 bits and `x` of `quantize8`. */
export function multiply8(
  x: usize,
  rows: u32,
  values: usize,
  scales: usize,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  multiply(8, x, rows, values, scales, bias, out, outBytes, count, blocks);
}

/** Bytes of weights that stay in a core's own cache while all rows are multiplied by them. */
const tileBytes: usize = 65_536;

@inline
function multiply(
  bits: usize,
  x: usize,
  rows: usize,
  values: usize,
  scales: usize,
  bias: usize,
  out: usize,
  outBytes: usize,
  count: usize,
  blocks: usize,
): void {
  const rowBytes = (blocks * bits) << 2;
  let done: usize = 0;
  for (let left = count; left >= 4; left = count - done) {
    const quarter = quarterOf(left, rowBytes);
    const toQuarter = quarter * rowBytes;
    const inTile: usize = rows === 1 ? quarter : max<usize>(1, tileBytes / (rowBytes << 2));
    for (let first: usize = 0; first < quarter; first += inTile) {
      const n = min(inTile, quarter - first);
      const at = done + first;
      const tileValues = values + at * rowBytes;
      const tileScales = scales + ((at * blocks) << 2);
      byQuarters(bits, x, rows, tileValues, toQuarter, tileScales, out + (at << 2), outBytes, quarter << 2, n, blocks);
    }
    done += quarter << 2;
  }
  // Up to three rows of the matrix are left: each is all four of a quarter's.
  if (done < count) {
    const restValues = values + done * rowBytes;
    const restScales = scales + ((done * blocks) << 2);
    byQuarters(bits, x, rows, restValues, 0, restScales, out + (done << 2), outBytes, 0, count - done, blocks);
  }
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, count);
}

/** All activations by `count` rows of each quarter. */
@inline
function byQuarters(
  bits: usize,
  x: usize,
  rows: usize,
  values: usize,
  toQuarter: usize,
  scales: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  let left = rows;
  for (let group = fours(rows); group > 0; group--) {
    const there = min<usize>(4, left);
    if (bits === 4) {
      fourRows4(x, there, values, toQuarter, scales, out, outBytes, toOutput, count, blocks);
      const othersValues = values + 2 * toQuarter;
      const othersScales = scales + (toQuarter >> 1);
      const othersOut = out + 2 * toOutput;
      if (toQuarter > 0)
        fourRows4(x, there, othersValues, toQuarter, othersScales, othersOut, outBytes, toOutput, count, blocks);
      x += blocks * fourBytes4;
    } else {
      fourRows8(x, there, values, scales, out, outBytes, count, blocks);
      for (let other: usize = 1; other < 4 && toQuarter > 0; other++) {
        const at = other * toQuarter;
        fourRows8(x, there, values + at, scales + (at >> 3), out + other * toOutput, outBytes, count, blocks);
      }
      x += blocks * fourBytes8;
    }
    out += there * outBytes;
    left -= there;
  }
  if (bits === 4 && left === 2) {
    const toSecond = blocks * oneBytes4;
    for (let half: usize = 0; half < 2; half++) {
      const at = 2 * half * toQuarter;
      const to = out + 2 * half * toOutput;
      twoRows4(x, toSecond, values + at, toQuarter, scales + (at >> 2), to, outBytes, toOutput, count, blocks);
    }
    return;
  }
  for (; left > 0; left--, out += outBytes) {
    if (bits === 4) {
      oneRow4(x, values, toQuarter, scales, out, toOutput, count, blocks);
      x += blocks * oneBytes4;
    } else {
      oneRow8(x, values, toQuarter, scales, out, toOutput, count, blocks);
      x += blocks * oneBytes8;
    }
  }
}
