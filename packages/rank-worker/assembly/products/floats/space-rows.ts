// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Lays rows out as
// a session multiplies them fastest: src/products/floats/spaced-rows.ts has the same in plain code.

import { storePair } from "../../vectors";

/** Copies rows of `width` floats to rows of `outWidth`, which end with zeros. */
export function spaceRows(from: usize, rows: u32, width: u32, out: usize, outWidth: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const end = out + (<usize>width << 2);
    for (; out + 32 <= end; out += 32, from += 32) storePair(out, v128.load(from), v128.load(from, 16));
    for (; out < end; out += 4, from += 4) store<f32>(out, load<f32>(from));
    out = clear(out, outWidth - width);
  }
}

/** Does the same with rows of bfloat16, as the floats that they stand for. */
export function widenRows(from: usize, rows: u32, width: u32, out: usize, outWidth: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const end = out + (<usize>width << 2);
    for (; out + 32 <= end; out += 32, from += 16) {
      storePair(out, i32x4.shl(v128.load_ext<u16>(from), 16), i32x4.shl(v128.load_ext<u16>(from, 8), 16));
    }
    for (; out < end; out += 4, from += 2) store<u32>(out, <u32>load<u16>(from) << 16);
    out = clear(out, outWidth - width);
  }
}

/** @returns the address behind the zeros */
@inline
function clear(out: usize, count: u32): usize {
  const end = out + (<usize>count << 2);
  for (; out < end; out += 4) store<f32>(out, 0);
  return end;
}
