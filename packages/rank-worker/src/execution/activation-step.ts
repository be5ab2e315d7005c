import type { ElementwiseStep } from "../elementwise/elementwise-step.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** What works element by element, by a kernel for few floats, else by the segment that has it. */
export class ActivationStep implements CompiledStep {
  readonly #segment: number;
  readonly #elementwise: ElementwiseStep;
  readonly #otherwise: CompiledStep;

  /** @param segment of which this takes the place */
  constructor(segment: number, elementwise: ElementwiseStep, otherwise: CompiledStep) {
    this.#segment = segment;
    this.#elementwise = elementwise;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    const { trace, communicator } = state;
    const start = trace?.begin();
    if (!this.#elementwise.run(state.table)) return this.#otherwise.run(state);
    if (start !== undefined) trace?.end("activating", `elementwise ${this.#segment}`, start);
    communicator.progress();
  }
}
