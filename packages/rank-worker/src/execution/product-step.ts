import type { HeadStart } from "../products/head-start.js";
import type { Product } from "../products/product.js";
import type { Tensor } from "../tensors/tensor.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";
import type { ProductCalls } from "./product-calls.js";

/** Multiplies a value by matrices that the rank keeps. */
export class ProductStep implements CompiledStep {
  readonly #product: Product;
  readonly #value: NamedIndex;
  /** By place in what the product gives. */
  readonly #outputs: readonly number[];
  /** For many rows. */
  readonly #calls: ProductCalls;

  constructor(product: Product, value: NamedIndex, outputs: readonly number[], calls: ProductCalls) {
    this.#product = product;
    this.#value = value;
    this.#outputs = outputs;
    this.#calls = calls;
  }

  get headStart(): HeadStart | undefined {
    return this.#product.headStart;
  }

  run(state: RunState): void | Promise<void> {
    const start = state.trace?.begin();
    const given = this.#product.run(valueAt(state, this.#value), (type, feeds, into) =>
      this.#calls.run(type, feeds, into, state),
    );
    if (given instanceof Promise) return given.then((values) => this.#store(values, state, start));
    this.#store(given, state, start);
  }

  #store(
    values: readonly Tensor[],
    { table, trace, communicator }: RunState,
    start: number | undefined,
  ): void {
    for (let at = 0; at < values.length; at++) table[this.#outputs[at]!] = values[at];
    if (start !== undefined) trace?.end("multiplying", `multiply ${this.#value.name}`, start);
    communicator.progress();
  }
}
