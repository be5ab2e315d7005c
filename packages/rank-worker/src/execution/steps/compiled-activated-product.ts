import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Epilogue } from "../../products/epilogue.js";
import type { HeadStart } from "../../products/head-start.js";
import type { CompiledProduct } from "./compiled-product.js";
import type { RunState } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** A product together with the elementwise work of the next step, if that is faster than one after the other. */
export class CompiledActivatedProduct implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly #product: CompiledProduct;
  readonly #epilogue: Epilogue;
  readonly #made: number;

  /** @param made index of the epilogue's result */
  constructor(product: CompiledProduct, epilogue: Epilogue, made: number) {
    this.reads = product.reads;
    this.writes = product.writes;
    this.#product = product;
    this.#epilogue = epilogue;
    this.#made = made;
  }

  get headStart(): HeadStart | undefined {
    return this.#product.headStart;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    return this.#product.lastCalls(kernels);
  }

  run(state: RunState): void | Promise<void> {
    const made = this.#product.runInto(state, this.#epilogue, this.#made);
    if (made === undefined) return this.#product.run(state);
    return made.then((isMade) => (isMade ? undefined : this.#product.run(state)));
  }
}

/** The elementwise step after a product, for cases in which the product has not done its work. */
export class CompiledActivation implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly #made: number;
  readonly #otherwise: KernelStep;

  /** @param made index of its result */
  constructor(made: number, otherwise: KernelStep) {
    this.reads = otherwise.reads;
    this.writes = otherwise.writes;
    this.#made = made;
    this.#otherwise = otherwise;
  }

  /** If the product has done its work, that has no calls to repeat either. */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    return this.#otherwise.lastCalls(kernels);
  }

  run(state: RunState): void | Promise<void> {
    return state.table[this.#made] === undefined ? this.#otherwise.run(state) : undefined;
  }
}
