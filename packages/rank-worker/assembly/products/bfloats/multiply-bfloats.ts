// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Few rows of floats times a matrix of bfloat16, which is the upper half of a float32: products are those of the floats
// that the matrix stands for. It takes half as long to read as these floats.

import { add } from "../../add";
import { oneBfloatRow } from "./bfloat-row";
import { rowsOfEach, streamsOf } from "../streams";

/** Bytes of the matrix that stay in a core's own cache while all rows are multiplied by them. */
const tileBytes: usize = 65_536;

/**
 * `out[row][i] = x[row] · matrix[i] + bias[i]`. Addresses are in bytes.
 *
 * @param x `[rows, width]` as `splitRows` wrote them, followed by scratch memory for 64 floats
 * @param values bfloat16 `[count, width]`
 * @param bias 0 for none
 * @param outBytes from one row of `out` to the next
 * @param mostStreams in how many streams the matrix may be read: eight or four
 */
export function multiplyBfloats(
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
  const rowBytes: usize = width << 1;
  const room = x + rows * (width << 2);
  for (let done: usize = 0; done < count; ) {
    const left = <usize>count - done;
    const streams = min<usize>(streamsOf(left), mostStreams);
    const each = rowsOfEach(left, streams, rowBytes);
    const toNext = streams === 1 ? <usize>0 : each * rowBytes;
    const toOutput = streams === 1 ? <usize>0 : each << 2;
    const inTile: usize = rows === 1 ? each : max<usize>(1, tileBytes / max<usize>(rowBytes * streams, 1));
    for (let first: usize = 0; first < each; first += inTile) {
      const n = min(inTile, each - first);
      const at = done + first;
      for (let row: usize = 0; row < rows; row++) {
        const from = x + row * (width << 2);
        const to = out + row * outBytes + (at << 2);
        oneBfloatRow(from, room, streams, values + at * rowBytes, toNext, to, toOutput, n, width);
      }
    }
    done += streams * each;
  }
  if (bias === 0) return;
  for (let row: usize = 0; row < rows; row++, out += outBytes) add(out, bias, out, count);
}
