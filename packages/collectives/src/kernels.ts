import type { CollectiveArray, ReduceOperation } from "./communicator.js";

/**
 * `out[outStart + i] = left[leftStart + i] ∘ right[rightStart + i]` for `i < length`. `out` may be `left` or
 * `right` at the same start. `left` is the operand that comes first in the documented order.
 */
export type ReduceKernel<T extends CollectiveArray> = (
  out: T,
  outStart: number,
  left: T,
  leftStart: number,
  right: T,
  rightStart: number,
  length: number,
) => void;

/** `out[outStart + i] = from[fromStart + i]` for `i < length`; the two do not overlap. */
export function copy<T extends CollectiveArray>(
  out: T,
  outStart: number,
  from: T,
  fromStart: number,
  length: number,
): void {
  // Making a subarray costs more than moving a few elements.
  if (length > 64) out.set(from.subarray(fromStart, fromStart + length), outStart);
  else for (let i = 0; i < length; i++) out[outStart + i] = from[fromStart + i]!;
}

/** `type` is T's. */
export function kernelFor<T extends CollectiveArray>(
  type: "float32" | "int32",
  operation: ReduceOperation,
): ReduceKernel<T> {
  const kernels = type === "float32" ? floatKernels : intKernels;
  return kernels[operation] as unknown as ReduceKernel<T>;
}

// One loop per type and operation: V8 compiles each for the one kind of array it sees.

const floatKernels: Record<ReduceOperation, ReduceKernel<Float32Array>> = {
  sum(out, outStart, left, leftStart, right, rightStart, length) {
    for (let i = 0; i < length; i++) {
      out[outStart + i] = Math.fround(left[leftStart + i]! + right[rightStart + i]!);
    }
  },
  max(out, outStart, left, leftStart, right, rightStart, length) {
    // Math.max propagates NaN and has −0 < +0.
    for (let i = 0; i < length; i++) {
      out[outStart + i] = Math.max(left[leftStart + i]!, right[rightStart + i]!);
    }
  },
};

const intKernels: Record<ReduceOperation, ReduceKernel<Int32Array>> = {
  sum(out, outStart, left, leftStart, right, rightStart, length) {
    for (let i = 0; i < length; i++) {
      out[outStart + i] = (left[leftStart + i]! + right[rightStart + i]!) | 0;
    }
  },
  max(out, outStart, left, leftStart, right, rightStart, length) {
    for (let i = 0; i < length; i++) {
      out[outStart + i] = Math.max(left[leftStart + i]!, right[rightStart + i]!);
    }
  },
};
