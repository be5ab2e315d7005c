// A matrix whose rows are multiplied four by four takes one from each of its quarters, since each is then a stream of
// memory from beginning to end, which processors read ahead; neighbouring rows would begin four new streams every four
// rows.

/**
 * How many rows are multiplied side by side with as many each from three further places. Streams that are multiples of
 * 64 KiB apart compete for the same sets of a cache all along, and take up to a quarter longer: then they are some rows
 * nearer, and those that are left come after.
 */
@inline
export function quarterOf(count: usize, rowBytes: usize): usize {
  const quarter = count >> 2;
  const competes = ((quarter * rowBytes) & 0xffff) === 0;
  return competes && quarter > 64 ? quarter - 8 : quarter;
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
