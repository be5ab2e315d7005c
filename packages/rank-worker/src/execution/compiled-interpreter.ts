import type { Interpreter } from "../interpreter/interpreter.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** Work that a rank interprets if values are small, else done by the segment that contains it. */
export class CompiledInterpreter implements CompiledStep {
  readonly #name: string;
  readonly #interpreter: Interpreter;
  readonly #otherwise: CompiledStep;

  /**
   * @param segment the segment's index, for traces
   * @param otherwise the step that this one replaces
   */
  constructor(segment: number, interpreter: Interpreter, otherwise: CompiledStep) {
    this.#name = `interpreting ${segment}`;
    this.#interpreter = interpreter;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    const { trace, communicator } = state;
    const start = trace?.begin();
    if (!this.#interpreter.run(state.table)) return this.#otherwise.run(state);
    if (start !== undefined) trace?.end("interpreting", this.#name, start);
    communicator.progress();
  }
}
