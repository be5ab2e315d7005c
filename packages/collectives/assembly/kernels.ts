// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Every position is
// an index of 4-byte elements in the group's shared memory, and need not be a multiple of four; `length` counts
// elements. `out` may be `left` or `right`, and overlaps nothing else. The caller has checked all bounds. The plain
// kernels (src/kernels/plain-kernels.ts) define what each computes, bit for bit.

import { acquireLines, blockBytes, copyLines } from "./lines";
import { combine, combineFour, Operation } from "./operations";

export function sumFloat32(out: usize, left: usize, right: usize, length: usize): void {
  reduce<f32>(Operation.sum, out << 2, left << 2, right << 2, length);
}

/** As defined by the instruction: NaN wins, and −0 < +0. */
export function maxFloat32(out: usize, left: usize, right: usize, length: usize): void {
  reduce<f32>(Operation.max, out << 2, left << 2, right << 2, length);
}

export function sumInt32(out: usize, left: usize, right: usize, length: usize): void {
  reduce<i32>(Operation.sum, out << 2, left << 2, right << 2, length);
}

export function maxInt32(out: usize, left: usize, right: usize, length: usize): void {
  reduce<i32>(Operation.max, out << 2, left << 2, right << 2, length);
}

export function move(out: usize, from: usize, length: usize): void {
  let to = out << 2;
  let at = from << 2;
  for (const end = at + (length << 2); at < end; at += blockBytes, to += blockBytes) {
    const block = min(blockBytes, end - at);
    acquireLines(to, block);
    copyLines(to, at, block);
  }
}

/** Addresses are in bytes. Inlined where `operation` is a constant, so no branch on it is left in the loops. */
@inline
function reduce<T extends number>(
  operation: Operation,
  out: usize,
  left: usize,
  right: usize,
  length: usize,
): void {
  const end = left + (length << 2);
  const acquires = out != left && out != right;
  while (left < end) {
    const block = min(blockBytes, end - left);
    const blockEnd = left + block;
    if (acquires) acquireLines(out, block);
    // 16 elements at a time: a cache line of each operand.
    for (const lastLine = left + (block & ~63); left < lastLine; left += 64, right += 64, out += 64) {
      const first = combineFour<T>(operation, v128.load(left), v128.load(right));
      const second = combineFour<T>(operation, v128.load(left, 16), v128.load(right, 16));
      const third = combineFour<T>(operation, v128.load(left, 32), v128.load(right, 32));
      const fourth = combineFour<T>(operation, v128.load(left, 48), v128.load(right, 48));
      v128.store(out, first);
      v128.store(out, second, 16);
      v128.store(out, third, 32);
      v128.store(out, fourth, 48);
    }
    for (; left < blockEnd; left += 4, right += 4, out += 4) {
      store<T>(out, combine<T>(operation, load<T>(left), load<T>(right)));
    }
  }
}
