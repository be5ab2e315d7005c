// A matrix whose rows are multiplied eight by eight takes one from each of its eighths: each is then a stream of
// memory from beginning to end, which processors read ahead.

/** What processors read ahead within: each stream waits where it enters another. */
export const pageBytes: usize = 4096;

/**
 * How many rows are multiplied side by side with as many each from seven further places. Streams that are some pages and a
 * half apart take turns to enter a page, four and four: that was faster than all at once, and than each alone, by up to a
 * tenth. So an eighth is some rows less, if need be, and those that are left come after.
 */
@inline
export function eighthOf(count: usize, rowBytes: usize): usize {
  const eighth = count >> 3;
  const least = eighth - (eighth >> 3);
  for (let rows = eighth; rows >= least && rows > 0; rows--) {
    if (((rows * rowBytes) & (pageBytes - 1)) === pageBytes >> 1) return rows;
  }
  for (let rows = eighth; rows >= least && rows > 0; rows--) {
    if (((rows * rowBytes) & ((pageBytes >> 1) - 1)) === pageBytes >> 2) return rows;
  }
  return eighth;
}

/** A lane from each of four places, `toNext` bytes apart. */
@inline
export function loadEach(at: usize, toNext: usize): v128 {
  const third = at + 2 * toNext;
  let lanes = v128.load_zero<f32>(at);
  lanes = v128.load_lane<f32>(at + toNext, lanes, 1);
  lanes = v128.load_lane<f32>(third, lanes, 2);
  return v128.load_lane<f32>(third + toNext, lanes, 3);
}

/** A lane to each of four outputs, `toOutput` bytes apart. */
@inline
export function storeEach(out: usize, toOutput: usize, lanes: v128): void {
  const third = out + 2 * toOutput;
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + toOutput, lanes, 1);
  v128.store_lane<f32>(third, lanes, 2);
  v128.store_lane<f32>(third + toOutput, lanes, 3);
}
