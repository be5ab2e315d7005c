import type { Table } from "../../tensors/table.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** A faster alternative to a session. */
interface Shortcut {
  /** @returns false, without any effect, if a session must be used */
  run(table: Table): boolean;
}

/** Work that a rank does itself if values are small, else by the segment that contains it. */
export class CompiledShortcut implements CompiledStep {
  readonly #work: "activating" | "interpreting";
  readonly #name: string;
  readonly #shortcut: Shortcut;
  readonly #otherwise: CompiledStep;

  /**
   * @param segment the segment's index, for traces
   * @param otherwise the step that this one replaces
   */
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
