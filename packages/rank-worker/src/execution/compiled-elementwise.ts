import type { ElementwiseShortcut } from "../elementwise/elementwise-shortcut.js";
import type { KernelCall } from "../kernels/kernel-call.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { CompiledStep, RunState } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** Elementwise work that a rank does itself if values are small, else by the segment that contains it. */
export class CompiledElementwise implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly #name: string;
  readonly #shortcut: ElementwiseShortcut;
  readonly #otherwise: CompiledStep;

  /**
   * @param segment the segment's index, for traces
   * @param otherwise the step that this one replaces
   */
  constructor(segment: number, shortcut: ElementwiseShortcut, otherwise: CompiledStep) {
    this.reads = shortcut.inputs;
    this.writes = shortcut.outputs;
    this.#name = `activating ${segment}`;
    this.#shortcut = shortcut;
    this.#otherwise = otherwise;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const call = this.#shortcut.lastCall(kernels);
    return call && [call];
  }

  run(state: RunState): void | Promise<void> {
    const { trace, communicator } = state;
    const start = trace?.begin();
    if (!this.#shortcut.run(state.table)) return this.#otherwise.run(state);
    if (start !== undefined) trace?.end("activating", this.#name, start);
    communicator.progress();
  }
}
