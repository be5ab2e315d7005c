import type { Epilogue } from "../products/epilogue.js";
import type { HeadStart } from "../products/head-start.js";
import type { Product } from "../products/product.js";
import type { Tensor } from "../tensors/tensor.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";
import type { ProductCalls } from "./product-calls.js";

/** A product, and what the next step makes of it element by element, where that is faster than one after the other. */
export class ActivatedProductStep implements CompiledStep {
  readonly #product: Product;
  readonly #value: NamedIndex;
  readonly #calls: ProductCalls;
  readonly #epilogue: Epilogue;
  readonly #made: number;
  readonly #alone: CompiledStep;

  /**
   * @param made index of what the epilogue makes
   * @param alone the product without it
   */
  constructor(
    product: Product,
    value: NamedIndex,
    calls: ProductCalls,
    epilogue: Epilogue,
    made: number,
    alone: CompiledStep,
  ) {
    this.#product = product;
    this.#value = value;
    this.#calls = calls;
    this.#epilogue = epilogue;
    this.#made = made;
    this.#alone = alone;
  }

  get headStart(): HeadStart | undefined {
    return this.#product.headStart;
  }

  run(state: RunState): void | Promise<void> {
    const start = state.trace?.begin();
    const value = valueAt(state, this.#value);
    const made = this.#product.runInto(value, this.#epilogue, (type, feeds, into) =>
      this.#calls.run(type, feeds, into, state),
    );
    return made === undefined ? this.#alone.run(state) : made.then((all) => this.#store(all, state, start));
  }

  #store(made: Tensor | undefined, state: RunState, start: number | undefined): void | Promise<void> {
    if (made === undefined) return this.#alone.run(state);
    const { table, trace, communicator } = state;
    table[this.#made] = made;
    if (start !== undefined) trace?.end("multiplying", `multiply ${this.#value.name}`, start);
    communicator.progress();
  }
}

/** What is made of products by a step of its own where they have not made it themselves. */
export class ActivationStep implements CompiledStep {
  readonly #index: number;
  readonly #otherwise: CompiledStep;

  /** @param index of what it makes */
  constructor(index: number, otherwise: CompiledStep) {
    this.#index = index;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    return state.table[this.#index] === undefined ? this.#otherwise.run(state) : undefined;
  }
}
