// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

/**
 * Puts floats in the order in which bfloat-row.ts multiplies them. Of every sixteen, first come those of even places,
 * then those of odd places. What is left of a row stays in order.
 *
 * @param x `[rows, width]`
 * @param out the same
 */
export function splitRows(x: usize, rows: u32, width: u32, out: usize): void {
  const rowBytes: usize = width << 2;
  const whole = rowBytes & ~63;
  for (let row: usize = 0; row < rows; row++, x += rowBytes, out += rowBytes) {
    for (let at: usize = 0; at < whole; at += 64) {
      const a = v128.load(x + at);
      const b = v128.load(x + at, 16);
      const c = v128.load(x + at, 32);
      const d = v128.load(x + at, 48);
      v128.store(out + at, v128.shuffle<f32>(a, b, 0, 2, 4, 6));
      v128.store(out + at, v128.shuffle<f32>(c, d, 0, 2, 4, 6), 16);
      v128.store(out + at, v128.shuffle<f32>(a, b, 1, 3, 5, 7), 32);
      v128.store(out + at, v128.shuffle<f32>(c, d, 1, 3, 5, 7), 48);
    }
    for (let at = whole; at < rowBytes; at += 4) store<f32>(out + at, load<f32>(x + at));
  }
}
