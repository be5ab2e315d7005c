// Rows of floats times rows of a matrix of floats, which is read in up to eight streams (streams.ts).
//
// One row, as in a decode step, takes as long as reading the matrix does. Every product is added up in one vector, in
// the same order however many rows there are, so the result for a row does not depend on the rows beside it.

import { pageBytes } from "../../memory-units";
import { madd, storeEach, sumEach } from "../../vectors";

/**
 * How many bytes the first four of eight streams lag behind the other four. If rows are whole pages, streams lie whole
 * pages apart, whatever their number of rows. They lag by half a page then, so that not all enter a page at once.
 *
 * @param each rows of a stream; with a single row no stream can be ahead
 */
@inline
export function lagOf(each: usize, rowBytes: usize): usize {
  return each > 1 && rowBytes > 0 && (rowBytes & (pageBytes - 1)) === 0 ? pageBytes >> 1 : 0;
}

/**
 * One row by `count` rows of each stream. Addresses are in bytes.
 *
 * The branch between the first four streams and the other four always goes the same way. Without it, V8 would load what
 * all eight need at once, for which there are too few registers.
 *
 * @param streams eight, four, or one
 * @param values the first stream
 * @param toNext bytes from one stream to the next; 0 for one stream, which then takes the place of all four
 * @param lag as `lagOf` returns it: the last four of eight streams also read so many bytes beyond their last row
 * @param toOutput bytes from a stream's first output to the next stream's; 0 for one stream
 */
export function oneRow(
  x: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  lag: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  const rowBytes = width << 2;
  const inVectors = rowBytes & ~15;
  const inPairs = rowBytes & ~31;
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  let g = f32x4.splat(0);
  let h = f32x4.splat(0);
  for (let k: usize = 0; k < lag; k += 16) {
    const fifth = values + 4 * toNext + k;
    const seventh = fifth + 2 * toNext;
    const xs = v128.load(x + k);
    e = madd(v128.load(fifth), xs, e);
    f = madd(v128.load(fifth + toNext), xs, f);
    g = madd(v128.load(seventh), xs, g);
    h = madd(v128.load(seventh + toNext), xs, h);
  }
  for (const end = out + (count << 2); out < end; out += 4) {
    const second = values + toNext;
    const third = second + toNext;
    const fourth = third + toNext;
    const fifth = fourth + toNext + lag;
    const sixth = fifth + toNext;
    const seventh = sixth + toNext;
    const eighth = seventh + toNext;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let k: usize = 0;
    // What the other four streams are multiplied by.
    let y = x + lag;
    for (let until = inPairs - lag; ; until = inPairs) {
      for (; k < until; k += 32) {
        const x0 = v128.load(x + k);
        a = madd(v128.load(values + k), x0, a);
        b = madd(v128.load(second + k), x0, b);
        c = madd(v128.load(third + k), x0, c);
        d = madd(v128.load(fourth + k), x0, d);
        const x1 = v128.load(x + k, 16);
        a = madd(v128.load(values + k, 16), x1, a);
        b = madd(v128.load(second + k, 16), x1, b);
        c = madd(v128.load(third + k, 16), x1, c);
        d = madd(v128.load(fourth + k, 16), x1, d);
        if (streams !== 8) continue;
        const y0 = v128.load(y + k);
        e = madd(v128.load(fifth + k), y0, e);
        f = madd(v128.load(sixth + k), y0, f);
        g = madd(v128.load(seventh + k), y0, g);
        h = madd(v128.load(eighth + k), y0, h);
        const y1 = v128.load(y + k, 16);
        e = madd(v128.load(fifth + k, 16), y1, e);
        f = madd(v128.load(sixth + k, 16), y1, f);
        g = madd(v128.load(seventh + k, 16), y1, g);
        h = madd(v128.load(eighth + k, 16), y1, h);
      }
      if (until === inPairs) break;
      // The other four are at the end of their rows, and continue with the next ones.
      storeEach(out + 4 * toOutput, toOutput, sumEach(e, f, g, h));
      e = f32x4.splat(0);
      f = f32x4.splat(0);
      g = f32x4.splat(0);
      h = f32x4.splat(0);
      y -= rowBytes;
    }
    for (; k < inVectors; k += 16) {
      const xs = v128.load(x + k);
      a = madd(v128.load(values + k), xs, a);
      b = madd(v128.load(second + k), xs, b);
      c = madd(v128.load(third + k), xs, c);
      d = madd(v128.load(fourth + k), xs, d);
      if (streams !== 8) continue;
      e = madd(v128.load(fifth + k), xs, e);
      f = madd(v128.load(sixth + k), xs, f);
      g = madd(v128.load(seventh + k), xs, g);
      h = madd(v128.load(eighth + k), xs, h);
    }
    for (; k < rowBytes; k += 4) {
      const xs = v128.load_zero<f32>(x + k);
      a = madd(v128.load_zero<f32>(values + k), xs, a);
      b = madd(v128.load_zero<f32>(second + k), xs, b);
      c = madd(v128.load_zero<f32>(third + k), xs, c);
      d = madd(v128.load_zero<f32>(fourth + k), xs, d);
      if (streams !== 8) continue;
      e = madd(v128.load_zero<f32>(fifth + k), xs, e);
      f = madd(v128.load_zero<f32>(sixth + k), xs, f);
      g = madd(v128.load_zero<f32>(seventh + k), xs, g);
      h = madd(v128.load_zero<f32>(eighth + k), xs, h);
    }
    storeEach(out, toOutput, sumEach(a, b, c, d));
    values += rowBytes;
    if (streams !== 8 || lag > 0) continue;
    storeEach(out + 4 * toOutput, toOutput, sumEach(e, f, g, h));
    e = f32x4.splat(0);
    f = f32x4.splat(0);
    g = f32x4.splat(0);
    h = f32x4.splat(0);
  }
}

/**
 * Two rows by `count` rows of each of four streams, or of one. That makes eight independent sums, as many additions as
 * a processor starts before the first is done.
 *
 * @param outBytes from the first row of `out` to the second
 */
export function twoRows(
  x: usize,
  values: usize,
  toNext: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  const rowBytes = width << 2;
  const inVectors = rowBytes & ~15;
  const y = x + rowBytes;
  for (const end = out + (count << 2); out < end; out += 4) {
    const second = values + toNext;
    const third = second + toNext;
    const fourth = third + toNext;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let e = f32x4.splat(0);
    let f = f32x4.splat(0);
    let g = f32x4.splat(0);
    let h = f32x4.splat(0);
    let k: usize = 0;
    for (; k < inVectors; k += 16) {
      const xs = v128.load(x + k);
      const ys = v128.load(y + k);
      const v = v128.load(values + k);
      a = madd(v, xs, a);
      e = madd(v, ys, e);
      const w = v128.load(second + k);
      b = madd(w, xs, b);
      f = madd(w, ys, f);
      const t = v128.load(third + k);
      c = madd(t, xs, c);
      g = madd(t, ys, g);
      const u = v128.load(fourth + k);
      d = madd(u, xs, d);
      h = madd(u, ys, h);
    }
    for (; k < rowBytes; k += 4) {
      const xs = v128.load_zero<f32>(x + k);
      const ys = v128.load_zero<f32>(y + k);
      const v = v128.load_zero<f32>(values + k);
      a = madd(v, xs, a);
      e = madd(v, ys, e);
      const w = v128.load_zero<f32>(second + k);
      b = madd(w, xs, b);
      f = madd(w, ys, f);
      const t = v128.load_zero<f32>(third + k);
      c = madd(t, xs, c);
      g = madd(t, ys, g);
      const u = v128.load_zero<f32>(fourth + k);
      d = madd(u, xs, d);
      h = madd(u, ys, h);
    }
    storeEach(out, toOutput, sumEach(a, b, c, d));
    storeEach(out + outBytes, toOutput, sumEach(e, f, g, h));
    values += rowBytes;
  }
}
