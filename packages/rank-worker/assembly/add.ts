// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { storePair } from "./vectors";

/** `out[i] = x[i] + y[i]`, for `count` floats; `out` may be `x` or `y`. Addresses are in bytes. */
export function add(x: usize, y: usize, out: usize, count: u32): void {
  const bytes = <usize>count << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const first = f32x4.add(v128.load(x + at), v128.load(y + at));
    const second = f32x4.add(v128.load(x + at, 16), v128.load(y + at, 16));
    storePair(out + at, first, second);
  }
  for (; at < bytes; at += 4) store<f32>(out + at, load<f32>(x + at) + load<f32>(y + at));
}

/** Adds a row of `width` floats to each of `rows` rows; `out` may be `x`. Addresses are in bytes. */
export function addRow(x: usize, row: usize, out: usize, rows: u32, width: u32): void {
  const rowBytes = <usize>width << 2;
  const end = x + <usize>rows * rowBytes;
  for (; x < end; x += rowBytes, out += rowBytes) add(x, row, out, width);
}
