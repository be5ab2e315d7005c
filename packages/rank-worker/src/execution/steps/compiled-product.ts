import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Epilogue } from "../../products/epilogue.js";
import type { HeadStart } from "../../products/head-start.js";
import type { RunSegment, SegmentType } from "../../products/multiplier.js";
import type { PreparedRows, Product } from "../../products/product.js";
import type { SessionCall } from "../session-call.js";
import { type NamedIndex, type RunState, valueAt } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** Multiplies a value by matrices that the rank holds. */
export class CompiledProduct implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly #product: Product;
  readonly #value: NamedIndex;
  /** For many rows. */
  readonly #calls: Readonly<Partial<Record<SegmentType, SessionCall>>>;

  constructor(
    product: Product,
    value: NamedIndex,
    outputs: readonly number[],
    calls: Readonly<Partial<Record<SegmentType, SessionCall>>>,
  ) {
    this.#product = product;
    this.#value = value;
    this.reads = [value.index];
    this.writes = outputs;
    this.#calls = calls;
  }

  get headStart(): HeadStart | undefined {
    return this.#product.headStart;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    return this.#product.lastCalls(kernels);
  }

  run(state: RunState): void | Promise<void> {
    const start = state.trace?.begin();
    const rows = this.#product.prepare(valueAt(state, this.#value));
    if (!this.#product.multiplyFew(rows)) return this.#multiplyMany(rows, state, start);
    this.#store(rows, state, start);
  }

  /**
   * Puts an epilogue's result into the table, instead of the products.
   *
   * @param index the index of that result
   * @returns undefined, or a promise of false without any effect if the step must {@link run} first
   */
  runInto(state: RunState, epilogue: Epilogue, index: number): Promise<boolean> | undefined {
    const start = state.trace?.begin();
    const make = this.#product.into(valueAt(state, this.#value), epilogue);
    return make?.(this.#runSegment(state)).then((value) => {
      if (value === undefined) return false;
      state.table[index] = value;
      this.#end(state, start);
      return true;
    });
  }

  async #multiplyMany(rows: PreparedRows, state: RunState, start: number | undefined): Promise<void> {
    await this.#product.multiplyMany(rows, this.#runSegment(state));
    this.#store(rows, state, start);
  }

  #runSegment(state: RunState): RunSegment {
    return (type, feeds, into) => {
      state.communicator.progress();
      return this.#calls[type]!.run(feeds, state, into);
    };
  }

  #store({ outputs }: PreparedRows, state: RunState, start: number | undefined): void {
    for (let at = 0; at < outputs.length; at++) state.table[this.writes[at]!] = outputs[at];
    this.#end(state, start);
  }

  #end({ trace, communicator }: RunState, start: number | undefined): void {
    if (start !== undefined) trace?.end("multiplying", `multiply ${this.#value.name}`, start);
    communicator.progress();
  }
}
