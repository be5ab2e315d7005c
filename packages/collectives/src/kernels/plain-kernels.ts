import type { SharedMemory } from "@ringrank/webassembly";
import type { Kernels, ReduceAllKernel, ReduceKernel } from "./kernels.js";
import { plainWires } from "./plain-wires.js";

/** The kernels' definition, in plain JavaScript. */
export function plainKernels(memory: SharedMemory): Kernels {
  const floats = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  const float32: Kernels["float32"] = {
    sum(out, left, right, length) {
      for (let i = 0; i < length; i++) floats[out + i] = Math.fround(floats[left + i]! + floats[right + i]!);
    },
    // Math.max propagates NaN and orders −0 < +0.
    max(out, left, right, length) {
      for (let i = 0; i < length; i++) floats[out + i] = Math.max(floats[left + i]!, floats[right + i]!);
    },
  };
  const int32: Kernels["int32"] = {
    sum(out, left, right, length) {
      for (let i = 0; i < length; i++) words[out + i] = (words[left + i]! + words[right + i]!) | 0;
    },
    max(out, left, right, length) {
      for (let i = 0; i < length; i++) words[out + i] = Math.max(words[left + i]!, words[right + i]!);
    },
  };
  return {
    float32,
    int32,
    all: {
      float32: { sum: inTurn(float32.sum), max: inTurn(float32.max) },
      int32: { sum: inTurn(int32.sum), max: inTurn(int32.max) },
    },
    move(out, from, length) {
      for (let i = 0; i < length; i++) words[out + i] = words[from + i]!;
    },
    // It does not poll; the caller does all the waiting.
    offer(to, own, length, published, header, line, rank, _worldSize, signature, round) {
      for (let i = 0; i < length; i++) words[to + i] = words[own + i]!;
      const mine = published + rank * line;
      words[mine + header] = signature;
      words[mine + header + 1] = length;
      Atomics.store(words, mine, round);
      return 0;
    },
    wires: plainWires(memory),
  };
}

/** Reduces operand after operand. */
function inTurn(reduce: ReduceKernel): ReduceAllKernel {
  return (out, first, stride, count, length) => {
    reduce(out, first, first + stride, length);
    for (let at = 2; at < count; at++) reduce(out, out, first + at * stride, length);
  };
}
