// Rows of floats times rows of a matrix of floats, one of each quarter (quarters.ts).
//
// One row, as in a decode step, takes the time of reading the matrix. Each product is added up in one vector, in the same
// order however many rows there are: a row's result does not depend on the others beside it.

import { storeEach } from "../quarters";
import { madd, sumEach } from "../../vectors";

/**
 * `count` rows of each quarter. Addresses are in bytes.
 *
 * @param values of the first row
 * @param toQuarter bytes from it to that of the next quarter; or 0, and all of them are the first
 * @param toOutput bytes from a quarter's first output to the next one's; likewise
 */
export function oneRow(
  x: usize,
  values: usize,
  toQuarter: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  const rowBytes = width << 2;
  const inVectors = rowBytes & ~15;
  const inPairs = rowBytes & ~31;
  for (const end = out + (count << 2); out < end; out += 4) {
    const second = values + toQuarter;
    const third = second + toQuarter;
    const fourth = third + toQuarter;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let k: usize = 0;
    for (; k < inPairs; k += 32) {
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
    }
    for (; k < inVectors; k += 16) {
      const xs = v128.load(x + k);
      a = madd(v128.load(values + k), xs, a);
      b = madd(v128.load(second + k), xs, b);
      c = madd(v128.load(third + k), xs, c);
      d = madd(v128.load(fourth + k), xs, d);
    }
    for (; k < rowBytes; k += 4) {
      const xs = v128.load_zero<f32>(x + k);
      a = madd(v128.load_zero<f32>(values + k), xs, a);
      b = madd(v128.load_zero<f32>(second + k), xs, b);
      c = madd(v128.load_zero<f32>(third + k), xs, c);
      d = madd(v128.load_zero<f32>(fourth + k), xs, d);
    }
    storeEach(out, toOutput, sumEach(a, b, c, d));
    values += rowBytes;
  }
}

/**
 * Likewise, two rows at once: as many sums as a processor begins before the first is there.
 *
 * @param outBytes from the first row of `out` to the second
 */
export function twoRows(
  x: usize,
  values: usize,
  toQuarter: usize,
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
    const second = values + toQuarter;
    const third = second + toQuarter;
    const fourth = third + toQuarter;
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
