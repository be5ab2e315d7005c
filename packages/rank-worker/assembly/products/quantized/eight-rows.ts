// Several quantized rows that are kept apart (quantized-rows.ts) times rows of a matrix, eight of which are multiplied
// at a time, one from each stream (streams.ts).
//
// This is for engines that make 256-bit operations of pairs of 128-bit ones (docs/design/wide-vectors.md). Other engines
// do more of this work than of that in several-rows.ts.

import { apartBlockBytes } from "./quantized-rows";
import { scalesOfFour } from "./scales";
import { sumsOfEight, timesEight } from "./times-eight";
import { storeEach } from "../../vectors";

/**
 * `count` rows of each stream, of weights of 4 bits. Addresses are in bytes.
 *
 * @param room for the sums of eight rows of activations, and the scales of eight rows of the matrix as float32
 * @param streams eight, four or one: if there are fewer than eight, they are multiplied more than once
 * @param values of the first row
 * @param toNext bytes of values from it to that of the next stream; or 0 for one stream
 * @param scales of the first rows, side by side
 * @param scaleBytes of a scale
 * @param outBytes from a row of outputs to the next
 * @param toOutput bytes from a stream's first output to the next one's; or 0 for one stream
 */
export function eightRows4(
  x: usize,
  rows: usize,
  room: usize,
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
  eightRows(4, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

/** Likewise, of weights of 8 bits. */
export function eightRows8(
  x: usize,
  rows: usize,
  room: usize,
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
  eightRows(8, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

@inline
function eightRows(
  bits: usize,
  x: usize,
  rows: usize,
  room: usize,
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
  const toOthers: usize = streams === 8 ? 4 * toNext : 0;
  const toOtherOutputs: usize = streams === 8 ? 4 * toOutput : 0;
  const rowBytes = apartBlockBytes(bits);
  const eightScales = room + 8 * sumsOfEight;
  for (const end = out + (count << 2); out < end; out += 4) {
    if (streams < 8) repeat(scales, scaleBytes, streams, blocks, eightScales);
    let to = out;
    for (let done: usize = 0; done < rows; ) {
      const left = rows - done;
      const first = x + done * rowBytes;
      const toNextBlock = rows * rowBytes;
      let atOnce: usize;
      if (streams < 8) {
        atOnce = eightTimes<f32>(bits, left, first, toNextBlock, values, toNext, toOthers, eightScales, blocks, room);
      } else if (scaleBytes === 2) {
        atOnce = eightTimes<u16>(bits, left, first, toNextBlock, values, toNext, toOthers, scales, blocks, room);
      } else {
        atOnce = eightTimes<f32>(bits, left, first, toNextBlock, values, toNext, toOthers, scales, blocks, room);
      }
      done += atOnce;
      const last = room + min(atOnce, left) * sumsOfEight;
      for (let sums = room; sums < last; sums += sumsOfEight, to += outBytes) {
        storeEach(to, toOutput, v128.load(sums));
        storeEach(to + toOtherOutputs, toOutput, v128.load(sums, 16));
      }
    }
    values += blocks * (bits << 2);
    scales += blocks * streams * scaleBytes;
  }
}

@inline
function eightTimes<Scale>(
  bits: usize,
  left: usize,
  x: usize,
  toNextBlock: usize,
  values: usize,
  toNext: usize,
  toOthers: usize,
  scales: usize,
  blocks: usize,
  out: usize,
): usize {
  return bits === 4
    ? timesEight<u32, Scale>(left, x, toNextBlock, values, toNext, toOthers, scales, blocks, out)
    : timesEight<u64, Scale>(left, x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
}

/** Makes eight scales of each block, as float32, of those of four streams or one. */
function repeat(scales: usize, scaleBytes: usize, streams: usize, blocks: usize, out: usize): void {
  for (const end = out + (blocks << 5); out < end; out += 32) {
    const four = scalesOfFour(scales, scaleBytes, streams);
    v128.store(out, four);
    v128.store(out, four, 16);
    scales += streams * scaleBytes;
  }
}
