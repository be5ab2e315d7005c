/** float32 `[rows, columns]` at `from` to `[columns, rows]` at `to`, four by four. */
export function transpose(to: usize, from: usize, rows: usize, columns: usize): void {
  const pitch = columns << 2;
  const toPitch = rows << 2;
  const fourRows = rows & ~3;
  const fourColumns = columns & ~3;
  for (let column: usize = 0; column < fourColumns; column += 4) {
    for (let row: usize = 0; row < fourRows; row += 4) {
      const source = from + row * pitch + (column << 2);
      const a = v128.load(source);
      const b = v128.load(source + pitch);
      const c = v128.load(source + 2 * pitch);
      const d = v128.load(source + 3 * pitch);
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const abRight = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cdRight = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      const target = to + column * toPitch + (row << 2);
      v128.store(target, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(target + toPitch, v128.shuffle<i64>(ab, cd, 1, 3));
      v128.store(target + 2 * toPitch, v128.shuffle<i64>(abRight, cdRight, 0, 2));
      v128.store(target + 3 * toPitch, v128.shuffle<i64>(abRight, cdRight, 1, 3));
    }
  }
  // The remainder at the bottom, then on the right.
  moveOneByOne(to, from, rows, columns, fourRows, rows, 0, fourColumns);
  moveOneByOne(to, from, rows, columns, 0, rows, fourColumns, columns);
}

@inline
function moveOneByOne(
  to: usize,
  from: usize,
  rows: usize,
  columns: usize,
  firstRow: usize,
  endRow: usize,
  firstColumn: usize,
  endColumn: usize,
): void {
  for (let row = firstRow; row < endRow; row++) {
    for (let column = firstColumn; column < endColumn; column++) {
      store<u32>(to + ((column * rows + row) << 2), load<u32>(from + ((row * columns + column) << 2)));
    }
  }
}
