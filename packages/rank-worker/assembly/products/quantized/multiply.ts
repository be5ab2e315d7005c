// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Few rows of activations times a matrix of quantized weights in the layout of MatMulNBits: rows of blocks of 32
// weights, of 4 bits (the even element in the low half of a byte) or 8, and a scale for each block. Several rows of
// activations are multiplied apart (eight-rows.ts) or in groups (several-rows.ts).

import { add } from "../../add";
import { eightRows4, eightRows8 } from "./eight-rows";
import { oneRow4, oneRow8 } from "./one-row";
import { rowsOfEach, streamsOf } from "../streams";
import { rowsBytes } from "./quantized-rows";
import { severalRows4, severalRows8 } from "./several-rows";

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`, with weights of 4 bits. Addresses are in bytes.
 *
 * @param x rows that `quantize4` wrote
 * @param isApart as it was for `quantize4`
 * @param scales in the order of streams.ts
 * @param scaleBytes bytes of a scale: 4 or 2 (scales.ts)
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 * @param count rows of the matrix
 * @param blocks of a row
 */
export function multiply4(
  x: usize,
  rows: u32,
  isApart: bool,
  values: usize,
  scales: usize,
  scaleBytes: u32,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  multiply(4, x, rows, isApart, values, scales, scaleBytes, bias, out, outBytes, count, blocks);
}

/** Likewise, with weights of 8 bits, and rows that `quantize8` wrote. */
export function multiply8(
  x: usize,
  rows: u32,
  isApart: bool,
  values: usize,
  scales: usize,
  scaleBytes: u32,
  bias: usize,
  out: usize,
  outBytes: u32,
  count: u32,
  blocks: u32,
): void {
  multiply(8, x, rows, isApart, values, scales, scaleBytes, bias, out, outBytes, count, blocks);
}

@inline
function multiply(
  bits: usize,
  x: usize,
  rows: usize,
  isApart: bool,
  values: usize,
  scales: usize,
  scaleBytes: usize,
  bias: usize,
  out: usize,
  outBytes: usize,
  count: usize,
  blocks: usize,
): void {
  const rowBytes = (blocks * bits) << 2;
  for (let done: usize = 0; done < count; ) {
    const left = count - done;
    const streams = streamsOf(left);
    const each = rowsOfEach(left, streams, rowBytes);
    const toNext = streams === 1 ? <usize>0 : each * rowBytes;
    const toOutput = streams === 1 ? <usize>0 : each << 2;
    const at = values + done * rowBytes;
    const scale = scales + done * blocks * scaleBytes;
    const to = out + (done << 2);
    byStreams(bits, x, rows, isApart, streams, at, toNext, scale, scaleBytes, to, outBytes, toOutput, each, blocks);
    done += streams * each;
  }
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, <u32>count);
}

/** All rows by `count` rows of each of eight streams, of four, or of one. */
@inline
function byStreams(
  bits: usize,
  x: usize,
  rows: usize,
  isApart: bool,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  const room = x + rowsBytes(bits, rows, blocks, isApart);
  if (rows === 1 && streams > 1) {
    if (scaleBytes === 2) {
      if (bits === 4) oneRow4<u16>(x, room, streams, values, toNext, scales, out, toOutput, count, blocks);
      else oneRow8<u16>(x, room, streams, values, toNext, scales, out, toOutput, count, blocks);
    } else if (bits === 4) oneRow4<f32>(x, room, streams, values, toNext, scales, out, toOutput, count, blocks);
    else oneRow8<f32>(x, room, streams, values, toNext, scales, out, toOutput, count, blocks);
    return;
  }
  if (isApart && rows > 1) {
    if (bits === 4) {
      eightRows4(x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
    } else {
      eightRows8(x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
    }
    return;
  }
  for (let stream: usize = 0; stream < streams; stream += 4) {
    const at = values + stream * toNext;
    const to = out + stream * toOutput;
    const scale = scales + stream * scaleBytes;
    if (bits === 4) {
      severalRows4(x, rows, room, streams, at, toNext, scale, scaleBytes, to, outBytes, toOutput, count, blocks);
    } else {
      severalRows8(x, rows, room, streams, at, toNext, scale, scaleBytes, to, outBytes, toOutput, count, blocks);
    }
  }
}
