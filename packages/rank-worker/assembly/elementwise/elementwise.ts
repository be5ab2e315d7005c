// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Work on floats element by element, as policy/src/program/program.ts (Elementwise) describes it: a list of
// instructions is gone through for one chunk of the elements after the other, so that all that is between the first
// and the last stays in the core's nearest cache. src/elementwise/instruction-list.ts writes the list.

import { erf, exp, sigmoid, tanh } from "./functions";

/** Bytes of a chunk: 256 floats. */
const chunkBytes: usize = 1024;

/**
 * 32-bit words: an operation, and where its operands and its result are. Each is at an address for the first chunk, and
 * moves by 1 byte for each byte of elements gone through, or by 0: what is there for one chunk alone, and constants.
 */
@unmanaged
class Instruction {
  operation: Operation;
  left: usize;
  leftMoves: usize;
  /** Of nothing, where the operation has one operand. */
  right: usize;
  rightMoves: usize;
  out: usize;
  outMoves: usize;
}

/** In the order of src/elementwise/instruction-list.ts. */
enum Operation {
  add,
  subtract,
  multiply,
  divide,
  minimum,
  maximum,
  sqrt,
  exp,
  sigmoid,
  tanh,
  erf,
}

/**
 * Runs the instructions from `first` to before `end` on `count` floats. Whole vectors are read and written: every
 * address is a multiple of 16, and there is room behind the last element for what is left of its vector.
 */
export function elementwise(first: usize, end: usize, count: u32): void {
  const bytes = ((<usize>count << 2) + 15) & ~15;
  for (let from: usize = 0; from < bytes; from += chunkBytes) {
    const length = min(chunkBytes, bytes - from);
    for (let at = first; at < end; at += offsetof<Instruction>()) {
      const one = changetype<Instruction>(at);
      const left = one.left + from * one.leftMoves;
      const right = one.right + from * one.rightMoves;
      run(one.operation, left, right, one.out + from * one.outMoves, length);
    }
  }
}

function run(operation: Operation, left: usize, right: usize, out: usize, bytes: usize): void {
  const end = out + bytes;
  switch (operation) {
    case Operation.add:
      return ofTwo(Operation.add, left, right, out, end);
    case Operation.subtract:
      return ofTwo(Operation.subtract, left, right, out, end);
    case Operation.multiply:
      return ofTwo(Operation.multiply, left, right, out, end);
    case Operation.divide:
      return ofTwo(Operation.divide, left, right, out, end);
    case Operation.minimum:
      return ofTwo(Operation.minimum, left, right, out, end);
    case Operation.maximum:
      return ofTwo(Operation.maximum, left, right, out, end);
    case Operation.sqrt:
      return ofOne(Operation.sqrt, left, out, end);
    case Operation.exp:
      return ofOne(Operation.exp, left, out, end);
    case Operation.sigmoid:
      return ofOne(Operation.sigmoid, left, out, end);
    case Operation.tanh:
      return ofOne(Operation.tanh, left, out, end);
    case Operation.erf:
      return ofOne(Operation.erf, left, out, end);
  }
}

/** The operation is known when this is compiled: each is a loop of its own. */
@inline
function ofTwo(operation: Operation, left: usize, right: usize, out: usize, end: usize): void {
  do {
    v128.store(out, combine(operation, v128.load(left), v128.load(right)));
    left += 16;
    right += 16;
    out += 16;
  } while (out < end);
}

/** Likewise. */
@inline
function ofOne(operation: Operation, x: usize, out: usize, end: usize): void {
  do {
    v128.store(out, apply(operation, v128.load(x)));
    x += 16;
    out += 16;
  } while (out < end);
}

@inline
function combine(operation: Operation, left: v128, right: v128): v128 {
  if (operation == Operation.add) return f32x4.add(left, right);
  if (operation == Operation.subtract) return f32x4.sub(left, right);
  if (operation == Operation.multiply) return f32x4.mul(left, right);
  if (operation == Operation.divide) return f32x4.div(left, right);
  if (operation == Operation.minimum) return f32x4.min(left, right);
  return f32x4.max(left, right);
}

@inline
function apply(operation: Operation, x: v128): v128 {
  if (operation == Operation.sqrt) return f32x4.sqrt(x);
  if (operation == Operation.exp) return exp(x);
  if (operation == Operation.sigmoid) return sigmoid(x);
  if (operation == Operation.tanh) return tanh(x);
  return erf(x);
}
