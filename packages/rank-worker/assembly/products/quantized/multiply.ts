// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Few rows of activations times a matrix of quantized weights as MatMulNBits has them: rows of blocks of 32 weights, of
// 4 bits (the even element in the low half of a byte) or 8, and a scale for each block. Activations are taken four by
// four, what is left of them two by two or one by one.

import { add } from "../../add";
import { fourRows4, fourRows8 } from "./four-rows";
import { oneRow4, oneRow8 } from "./one-row";
import { eighthOf } from "../streams";
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
  for (let done: usize = 0; done < count; ) {
    const left = count - done;
    const streams: usize = left >= 8 ? 8 : left >= 4 ? 4 : 1;
    const each = streams === 8 ? eighthOf(left, rowBytes) : left / streams;
    const toNext = streams === 1 ? 0 : each * rowBytes;
    const toOutput = streams === 1 ? 0 : each << 2;
    const inTile: usize = rows === 1 ? each : max<usize>(1, tileBytes / (rowBytes * streams));
    for (let first: usize = 0; first < each; first += inTile) {
      const n = min(inTile, each - first);
      const at = done + first;
      const tileValues = values + at * rowBytes;
      const tileScales = scales + ((at * blocks) << 2);
      const to = out + (at << 2);
      byStreams(bits, x, rows, streams, tileValues, toNext, tileScales, to, outBytes, toOutput, n, blocks);
    }
    done += streams * each;
  }
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, count);
}

/** All activations by `count` rows of each stream, of which there are eight, four, or one. */
@inline
function byStreams(
  bits: usize,
  x: usize,
  rows: usize,
  streams: usize,
  values: usize,
  toNext: usize,
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
      for (let stream: usize = 0; stream < streams; stream += 2) {
        const at = stream * toNext;
        const to = out + stream * toOutput;
        fourRows4(x, there, values + at, toNext, scales + (at >> 2), to, outBytes, toOutput, count, blocks);
      }
      x += blocks * fourBytes4;
    } else {
      for (let stream: usize = 0; stream < streams; stream++) {
        const at = stream * toNext;
        fourRows8(x, there, values + at, scales + (at >> 3), out + stream * toOutput, outBytes, count, blocks);
      }
      x += blocks * fourBytes8;
    }
    out += there * outBytes;
    left -= there;
  }
  if (bits === 4 && left === 2) {
    const toSecond = blocks * oneBytes4;
    for (let stream: usize = 0; stream < streams; stream += 2) {
      const at = stream * toNext;
      const to = out + stream * toOutput;
      twoRows4(x, toSecond, values + at, toNext, scales + (at >> 2), to, outBytes, toOutput, count, blocks);
    }
    return;
  }
  for (; left > 0; left--, out += outBytes) {
    if (bits === 4) {
      oneRow4(x, streams, values, toNext, scales, out, toOutput, count, blocks);
      x += blocks * oneBytes4;
    } else {
      oneRow8(x, streams, values, toNext, scales, out, toOutput, count, blocks);
      x += blocks * oneBytes8;
    }
  }
}
