// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { add } from "../../add";
import { lagOf, oneRow, twoRows } from "./float-rows";
import { rowsOfEach, streamsOf } from "../streams";

/** Bytes of the matrix that stay in a core's own cache while all rows are multiplied by them. */
const tileBytes: usize = 131_072;

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`, all of float32. Addresses are in bytes.
 *
 * @param x `[rows, width]`
 * @param values `[count, width]`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 * @param mostStreams in how many streams the matrix may be read: eight or four
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
  mostStreams: u32,
): void {
  const rowBytes: usize = width << 2;
  for (let done: usize = 0; done < count; ) {
    const left = <usize>count - done;
    const streams = min<usize>(streamsOf(left), mostStreams);
    const each = rows === 1 ? oneRowsOfEach(left, streams, rowBytes) : rowsOfEach(left, streams, rowBytes);
    const lag = rows === 1 && streams === 8 ? lagOf(each, rowBytes) : 0;
    const toNext = streams === 1 ? <usize>0 : each * rowBytes;
    const toOutput = streams === 1 ? <usize>0 : each << 2;
    const inTile: usize = rows <= 2 ? each : max<usize>(1, tileBytes / max<usize>(rowBytes * streams, 1));
    for (let first: usize = 0; first < each; first += inTile) {
      const n = min(inTile, each - first);
      const at = done + first;
      byStreams(x, rows, streams, values + at * rowBytes, toNext, lag, out + (at << 2), outBytes, toOutput, n, width);
    }
    done += streams * each;
  }
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, count);
}

/** `rowsOfEach` for one row of activations: streams that are ahead also read into the row after their last one. */
export function oneRowsOfEach(left: usize, streams: usize, rowBytes: usize): usize {
  const each = rowsOfEach(left, streams, rowBytes);
  return streams === 8 && each << 3 === left && lagOf(each, rowBytes) > 0 ? each - 1 : each;
}

/** All rows by `count` rows of each of eight streams, of four, or of one. */
@inline
function byStreams(
  x: usize,
  rows: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  lag: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  let left = rows;
  for (; left >= 2; left -= 2, x += width << 3, out += outBytes << 1) {
    for (let stream: usize = 0; stream < streams; stream += 4)
      twoRows(x, values + stream * toNext, toNext, out + stream * toOutput, outBytes, toOutput, count, width);
  }
  if (left > 0) oneRow(x, streams, values, toNext, lag, out, toOutput, count, width);
}
