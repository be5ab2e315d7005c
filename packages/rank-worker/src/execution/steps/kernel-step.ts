import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { CompiledStep } from "./compiled-step.js";

/**
 * A step that consists of kernel calls and nothing else as long as values are small and in the kernels' memory. It
 * promises that, run again on the same tensors, it would make the same calls and put the same tensors into the table.
 */
export interface KernelStep extends CompiledStep {
  /** Indices of the values that it reads. */
  readonly reads: readonly number[];
  /** Indices of the values that it puts into the table. */
  readonly writes: readonly number[];
  /**
   * The calls that the last run consisted of; undefined if it did anything else, or calls other kernels than these, or
   * would do something else next time.
   */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined;
}

export function isKernelStep(step: CompiledStep): step is KernelStep {
  return "lastCalls" in step;
}
