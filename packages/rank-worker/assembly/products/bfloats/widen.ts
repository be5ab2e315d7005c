// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.

import { storePair } from "../../vectors";

/** Writes the floats that numbers of bfloat16 stand for. */
export function widen(from: usize, count: u32, out: usize): void {
  const end = out + (<usize>count << 2);
  for (; out + 32 <= end; out += 32, from += 16) {
    storePair(out, i32x4.shl(v128.load_ext<u16>(from), 16), i32x4.shl(v128.load_ext<u16>(from, 8), 16));
  }
  for (; out < end; out += 4, from += 2) store<u32>(out, <u32>load<u16>(from) << 16);
}
