import { RingrankError } from "@ringrank/errors";
import type { Tensor } from "onnxruntime-node";
import { floatsAtOnce, KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";

/**
 * What is added to one all-reduced value of a program: added by the kernel where there is one, else plainly, to the
 * same bits.
 */
export class Addition {
  readonly #kernels: RankKernels | undefined;
  readonly #result: KernelResult | undefined;

  constructor(kernels: RankKernels | undefined) {
    this.#kernels = kernels;
    this.#result = kernels && new KernelResult(kernels.memory);
  }

  /**
   * @param sum the rank's own, which may change
   * @param addend as many elements
   * @returns a tensor of the sum's shape: the sum itself, or one that is good until the next call
   * @throws RR_POLICY if they cannot be added
   */
  run(sum: Tensor, addend: Tensor): Tensor {
    const [x, y] = operandsOf(sum, addend);
    const kept = this.#addInKernelMemory(x, y, sum.dims);
    if (kept !== undefined) return kept;
    this.#addInPlace(x, y);
    return sum;
  }

  /** Undefined where there is no room. */
  #addInKernelMemory(x: Float32Array, y: Float32Array, dims: readonly number[]): Tensor | undefined {
    const result = this.#result?.tensor(dims);
    const kernels = this.#kernels;
    if (kernels === undefined || result === undefined) return undefined;
    const other = kernels.memory.holds(y) ? y : kernels.scratch(y.length);
    if (other === undefined) return undefined;
    if (other !== y) other.set(y);
    const out = result.data as Float32Array;
    out.set(x);
    kernels.add(out.byteOffset, other.byteOffset, out.byteOffset, x.length);
    return result;
  }

  #addInPlace(x: Float32Array, y: Float32Array): void {
    const scratch = this.#kernels?.scratch(2 * floatsAtOnce);
    if (scratch === undefined) {
      for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
      return;
    }
    const [left, right] = [scratch.subarray(0, floatsAtOnce), scratch.subarray(floatsAtOnce)];
    for (let from = 0; from < x.length; from += floatsAtOnce) {
      const part = x.subarray(from, from + floatsAtOnce);
      left.set(part);
      right.set(y.subarray(from, from + floatsAtOnce));
      this.#kernels!.add(left.byteOffset, right.byteOffset, left.byteOffset, part.length);
      part.set(left.subarray(0, part.length));
    }
  }
}

/** @throws RR_POLICY if they cannot be added */
export function operandsOf(sum: Tensor, addend: Tensor): [Float32Array, Float32Array] {
  const [x, y] = [sum.data, addend.data];
  if (x instanceof Float32Array && y instanceof Float32Array && x.length === y.length) return [x, y];
  throw new RingrankError(
    "RR_POLICY",
    `expected float32 values of one size to be added after an all-reduce, got ${sum.type} [${sum.dims.join(", ")}] and ${addend.type} [${addend.dims.join(", ")}]`,
  );
}
