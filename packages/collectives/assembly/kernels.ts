// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Every position is
// an index of 4-byte elements in the group's shared memory, and need not be a multiple of four; `length` counts
// elements. `out` may be `left` or `right`, and overlaps nothing else. The caller has checked all bounds. The plain
// kernels (src/kernels/plain-kernels.ts) define what each computes, bit for bit.

import { acquireLines, blockBytes, moveLines } from "./lines";
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

/** Reduces `count` operands, of which the first is at `first`, and the others follow every `stride` elements. */
export function sumAllFloat32(out: usize, first: usize, stride: usize, count: usize, length: usize): void {
  reduceAll<f32>(Operation.sum, out << 2, first << 2, stride << 2, count, length);
}

export function maxAllFloat32(out: usize, first: usize, stride: usize, count: usize, length: usize): void {
  reduceAll<f32>(Operation.max, out << 2, first << 2, stride << 2, count, length);
}

export function sumAllInt32(out: usize, first: usize, stride: usize, count: usize, length: usize): void {
  reduceAll<i32>(Operation.sum, out << 2, first << 2, stride << 2, count, length);
}

export function maxAllInt32(out: usize, first: usize, stride: usize, count: usize, length: usize): void {
  reduceAll<i32>(Operation.max, out << 2, first << 2, stride << 2, count, length);
}

export function move(out: usize, from: usize, length: usize): void {
  moveLines(out << 2, from << 2, length << 2);
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

/** Addresses, and `stride`, are in bytes. */
@inline
function reduceAll<T extends number>(
  operation: Operation,
  out: usize,
  first: usize,
  stride: usize,
  count: usize,
  length: usize,
): void {
  const end = first + (length << 2);
  // Compared by !=, since the address one stride beyond the last operand may be past 2^32, and wraps around.
  const beyond = count * stride;
  while (first < end) {
    const block = min(blockBytes, end - first);
    const blockEnd = first + block;
    acquireLines(out, block);
    // A cache line of each operand after the other, so that none has to be read twice and no sum is stored in between.
    for (const lastLine = first + (block & ~63); first < lastLine; first += 64, out += 64) {
      let a = v128.load(first);
      let b = v128.load(first, 16);
      let c = v128.load(first, 32);
      let d = v128.load(first, 48);
      for (let at = first + stride; at != first + beyond; at += stride) {
        a = combineFour<T>(operation, a, v128.load(at));
        b = combineFour<T>(operation, b, v128.load(at, 16));
        c = combineFour<T>(operation, c, v128.load(at, 32));
        d = combineFour<T>(operation, d, v128.load(at, 48));
      }
      v128.store(out, a);
      v128.store(out, b, 16);
      v128.store(out, c, 32);
      v128.store(out, d, 48);
    }
    for (; first < blockEnd; first += 4, out += 4) {
      let result = load<T>(first);
      for (let at = first + stride; at != first + beyond; at += stride) {
        result = combine<T>(operation, result, load<T>(at));
      }
      store<T>(out, result);
    }
  }
}
