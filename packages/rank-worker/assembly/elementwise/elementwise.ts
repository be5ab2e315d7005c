// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs. Elementwise work
// on floats, as described by policy/src/program/segment-work.ts (Elementwise). The list of instructions is run on one
// chunk of the elements after another, so that all intermediate values stay in the core's L1 cache.
// src/elementwise/instruction-list.ts writes the list.

import { erf, exp, sigmoid, tanh } from "./functions";
import { storePair } from "../vectors";

/** Bytes of a chunk: 256 floats. */
const chunkBytes: usize = 1024;

/**
 * 32-bit words: an operation, and the places of its operands and its result. Each has an address for the first chunk,
 * and advances by 1 byte per byte of elements, or by 0 if it only exists for one chunk, or is a constant.
 */
@unmanaged
class Instruction {
  operation: Operation;
  left: usize;
  leftMoves: usize;
  /** Unused if the operation has one operand. */
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
 * Runs the instructions from `first` to `end` (exclusive) on `count` floats. Whole vectors are read and written: every
 * address is a multiple of 16, and there is room after the last element for the rest of its vector.
 */
export function elementwise(first: usize, end: usize, count: u32): void {
  const bytes = ((<usize>count << 2) + 15) & ~15;
  for (let from: usize = 0; from < bytes; from += chunkBytes) {
    const length = min(chunkBytes, bytes - from);
    for (let at = first; at < end; at += offsetof<Instruction>()) {
      const one = changetype<Instruction>(at);
      runOn(one, from, one.out + from * one.outMoves, length);
    }
  }
}

/**
 * Runs the instructions on adjacent rows. The last instruction's result is the output: its row r is written to row
 * `order[r]`.
 *
 * @param columns a multiple of 4
 * @param order `[rows]`
 * @param outBytes from one row of the output to the next
 */
export function elementwiseRows(
  first: usize,
  end: usize,
  rows: u32,
  columns: u32,
  order: usize,
  outBytes: usize,
): void {
  const rowBytes = <usize>columns << 2;
  const chunks = (rowBytes + chunkBytes - 1) / chunkBytes;
  // All chunks of about the same length: on few floats, an instruction mostly takes what starting and ending it costs.
  const each = ((rowBytes / chunks + 15) & ~15);
  const last = end - offsetof<Instruction>();
  for (let row: usize = 0, start: usize = 0; row < rows; row++, start += rowBytes) {
    const to = <usize>load<u32>(order + (row << 2)) * outBytes;
    for (let from: usize = 0; from < rowBytes; from += each) {
      const length = min(each, rowBytes - from);
      for (let at = first; at < last; at += offsetof<Instruction>()) {
        const one = changetype<Instruction>(at);
        runOn(one, start + from, one.out + (start + from) * one.outMoves, length);
      }
      const one = changetype<Instruction>(last);
      runOn(one, start + from, one.out + to + from, length);
    }
  }
}

@inline
function runOn(one: Instruction, from: usize, out: usize, bytes: usize): void {
  run(one.operation, one.left + from * one.leftMoves, one.right + from * one.rightMoves, out, bytes);
}

function run(operation: Operation, left: usize, right: usize, out: usize, bytes: usize): void {
  const end = out + bytes;
  switch (operation) {
    case Operation.add:
      return addEach(left, right, out, end);
    case Operation.subtract:
      return subtractEach(left, right, out, end);
    case Operation.multiply:
      return multiplyEach(left, right, out, end);
    case Operation.divide:
      return divideEach(left, right, out, end);
    case Operation.minimum:
      return minimumEach(left, right, out, end);
    case Operation.maximum:
      return maximumEach(left, right, out, end);
    case Operation.sqrt:
      return sqrtEach(left, out, end);
    case Operation.exp:
      return expEach(left, out, end);
    case Operation.sigmoid:
      return sigmoidEach(left, out, end);
    case Operation.tanh:
      return tanhEach(left, out, end);
    case Operation.erf:
      return erfEach(left, out, end);
  }
}

// A separate function for each operation: the compiler would merge loops that only differ in a number into one loop
// that tests the number in each iteration, and keeps the constants of all operations.

function addEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.add, left, right, out, end);
}

function subtractEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.subtract, left, right, out, end);
}

function multiplyEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.multiply, left, right, out, end);
}

function divideEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.divide, left, right, out, end);
}

function minimumEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.minimum, left, right, out, end);
}

function maximumEach(left: usize, right: usize, out: usize, end: usize): void {
  each(Operation.maximum, left, right, out, end);
}

function sqrtEach(x: usize, out: usize, end: usize): void {
  each(Operation.sqrt, x, x, out, end);
}

function expEach(x: usize, out: usize, end: usize): void {
  each(Operation.exp, x, x, out, end);
}

function sigmoidEach(x: usize, out: usize, end: usize): void {
  each(Operation.sigmoid, x, x, out, end);
}

function tanhEach(x: usize, out: usize, end: usize): void {
  each(Operation.tanh, x, x, out, end);
}

function erfEach(x: usize, out: usize, end: usize): void {
  each(Operation.erf, x, x, out, end);
}

/** Two vectors at a time, which V8 may compute as one (`storePair`). */
@inline
function each(operation: Operation, left: usize, right: usize, out: usize, end: usize): void {
  for (; out + 32 <= end; left += 32, right += 32, out += 32) {
    const first = result(operation, left, right);
    const second = result(operation, left + 16, right + 16);
    storePair(out, first, second);
  }
  if (out < end) v128.store(out, result(operation, left, right));
}

@inline
function result(operation: Operation, left: usize, right: usize): v128 {
  const x = v128.load(left);
  if (operation === Operation.add) return f32x4.add(x, v128.load(right));
  if (operation === Operation.subtract) return f32x4.sub(x, v128.load(right));
  if (operation === Operation.multiply) return f32x4.mul(x, v128.load(right));
  if (operation === Operation.divide) return f32x4.div(x, v128.load(right));
  if (operation === Operation.minimum) return f32x4.min(x, v128.load(right));
  if (operation === Operation.maximum) return f32x4.max(x, v128.load(right));
  if (operation === Operation.sqrt) return f32x4.sqrt(x);
  if (operation === Operation.exp) return exp(x);
  if (operation === Operation.sigmoid) return sigmoid(x);
  if (operation === Operation.tanh) return tanh(x);
  return erf(x);
}
