import type { ElementwiseShortcut } from "../../elementwise/elementwise-shortcut.js";
import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { CompiledShortcut } from "./compiled-shortcut.js";
import type { CompiledStep } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** Elementwise work: the shortcut that is a kernel call. */
export class CompiledElementwise extends CompiledShortcut implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly #shortcut: ElementwiseShortcut;

  /** Parameters as for {@link CompiledShortcut}. */
  constructor(segment: number, shortcut: ElementwiseShortcut, otherwise: CompiledStep) {
    super("activating", segment, shortcut, otherwise);
    this.reads = shortcut.inputs;
    this.writes = shortcut.outputs;
    this.#shortcut = shortcut;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const call = this.#shortcut.lastCall(kernels);
    return call && [call];
  }
}
