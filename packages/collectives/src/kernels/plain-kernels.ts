import type { SharedMemory } from "@ringrank/webassembly";
import type { Kernels } from "./kernels.js";
import { plainWires } from "./plain-wires.js";

/** The kernels' definition, in plain JavaScript. */
export function plainKernels(memory: SharedMemory): Kernels {
  const floats = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  return {
    float32: {
      sum(out, left, right, length) {
        for (let i = 0; i < length; i++)
          floats[out + i] = Math.fround(floats[left + i]! + floats[right + i]!);
      },
      // Math.max propagates NaN and orders −0 < +0.
      max(out, left, right, length) {
        for (let i = 0; i < length; i++) floats[out + i] = Math.max(floats[left + i]!, floats[right + i]!);
      },
    },
    int32: {
      sum(out, left, right, length) {
        for (let i = 0; i < length; i++) words[out + i] = (words[left + i]! + words[right + i]!) | 0;
      },
      max(out, left, right, length) {
        for (let i = 0; i < length; i++) words[out + i] = Math.max(words[left + i]!, words[right + i]!);
      },
    },
    move(out, from, length) {
      for (let i = 0; i < length; i++) words[out + i] = words[from + i]!;
    },
    // It does not poll; the caller does all the waiting.
    offer(slot, own, length, header, published, _otherHeader, _otherPublished, signature, round) {
      for (let i = 0; i < length; i++) words[slot + i] = words[own + i]!;
      words[header] = signature;
      words[header + 1] = length;
      Atomics.store(words, published, round);
      return 0;
    },
    wires: plainWires(memory),
  };
}
