import type { Tensor } from "../tensors/tensor.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** A shorter way than a session's. */
interface Shortcut {
  /** @returns false, and nothing is done, where a session has to do it */
  run(table: (Tensor | undefined)[]): boolean;
}

/** What a rank does itself where values are small, else by the segment that has it. */
export class ShortcutStep implements CompiledStep {
  readonly #work: "activating" | "interpreting";
  readonly #name: string;
  readonly #shortcut: Shortcut;
  readonly #otherwise: CompiledStep;

  /** @param segment of which this takes the place */
  constructor(
    work: "activating" | "interpreting",
    segment: number,
    shortcut: Shortcut,
    otherwise: CompiledStep,
  ) {
    this.#work = work;
    this.#name = `${work} ${segment}`;
    this.#shortcut = shortcut;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    const { trace, communicator } = state;
    const start = trace?.begin();
    if (!this.#shortcut.run(state.table)) return this.#otherwise.run(state);
    if (start !== undefined) trace?.end(this.#work, this.#name, start);
    communicator.progress();
  }
}
