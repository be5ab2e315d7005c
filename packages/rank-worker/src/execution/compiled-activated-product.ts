import type { Epilogue } from "../products/epilogue.js";
import type { HeadStart } from "../products/head-start.js";
import type { CompiledProduct } from "./compiled-product.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** A product together with the elementwise work of the next step, if that is faster than one after the other. */
export class CompiledActivatedProduct implements CompiledStep {
  readonly #product: CompiledProduct;
  readonly #epilogue: Epilogue;
  readonly #made: number;

  /** @param made index of the epilogue's result */
  constructor(product: CompiledProduct, epilogue: Epilogue, made: number) {
    this.#product = product;
    this.#epilogue = epilogue;
    this.#made = made;
  }

  get headStart(): HeadStart | undefined {
    return this.#product.headStart;
  }

  run(state: RunState): void | Promise<void> {
    const made = this.#product.runInto(state, this.#epilogue, this.#made);
    if (made === undefined) return this.#product.run(state);
    return made.then((isMade) => (isMade ? undefined : this.#product.run(state)));
  }
}

/** The elementwise step after a product, for cases in which the product has not done its work. */
export class CompiledActivation implements CompiledStep {
  readonly #made: number;
  readonly #otherwise: CompiledStep;

  /** @param made index of its result */
  constructor(made: number, otherwise: CompiledStep) {
    this.#made = made;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    return state.table[this.#made] === undefined ? this.#otherwise.run(state) : undefined;
  }
}
