import type { DataType } from "@ringrank/model";
import { allocate, elementCount } from "@ringrank/model/weights";
import type { SizeProduct } from "@ringrank/policy";
import { tensor } from "../../tensors/tensor.js";
import { resolveSizes } from "../size-product.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** Provides the zeros that a rank without units contributes to a sum. */
export class CompiledZeros implements CompiledStep {
  readonly #value: number;
  readonly #type: DataType;
  readonly #dims: readonly SizeProduct[];

  constructor(value: number, type: DataType, dims: readonly SizeProduct[]) {
    this.#value = value;
    this.#type = type;
    this.#dims = dims;
  }

  run({ table, bindings }: RunState): void {
    const dims = resolveSizes(this.#dims, bindings);
    table[this.#value] = tensor(this.#type, allocate(this.#type, elementCount(dims)), dims);
  }
}
