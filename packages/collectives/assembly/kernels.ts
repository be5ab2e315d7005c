// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Every position is an index of 4-byte elements in the group's shared memory, any index, also one that is no
// multiple of four; `length` counts elements. `out` may be `left` or `right`. The caller has checked all bounds.
// The plain kernels (src/kernels/plain-kernels.ts) say what each has to compute, to the bit.

export function sumFloat32(out: usize, left: usize, right: usize, length: usize): void {
  reduce<f32>(Operation.sum, out << 2, left << 2, right << 2, length);
}

/** As the instruction defines it: NaN wins, and −0 < +0. */
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
  memory.copy(out << 2, from << 2, length << 2);
}

enum Operation {
  sum,
  max,
}

/** Addresses in bytes. Inlined where `operation` is a constant, so no branch on it is left in the loops. */
@inline
function reduce<T extends number>(
  operation: Operation,
  out: usize,
  left: usize,
  right: usize,
  length: usize,
): void {
  const end = left + (length << 2);
  // 16 elements at a time: a cache line of each operand.
  const lastLine = left + ((length & ~15) << 2);
  for (; left < lastLine; left += 64, right += 64, out += 64) {
    const first = combineFour<T>(operation, v128.load(left), v128.load(right));
    const second = combineFour<T>(operation, v128.load(left, 16), v128.load(right, 16));
    const third = combineFour<T>(operation, v128.load(left, 32), v128.load(right, 32));
    const fourth = combineFour<T>(operation, v128.load(left, 48), v128.load(right, 48));
    v128.store(out, first);
    v128.store(out, second, 16);
    v128.store(out, third, 32);
    v128.store(out, fourth, 48);
  }
  for (; left < end; left += 4, right += 4, out += 4) {
    store<T>(out, combine<T>(operation, load<T>(left), load<T>(right)));
  }
}

@inline
function combineFour<T extends number>(operation: Operation, left: v128, right: v128): v128 {
  return operation == Operation.sum ? v128.add<T>(left, right) : v128.max<T>(left, right);
}

@inline
function combine<T extends number>(operation: Operation, left: T, right: T): T {
  return operation == Operation.sum ? <T>(left + right) : max<T>(left, right);
}
