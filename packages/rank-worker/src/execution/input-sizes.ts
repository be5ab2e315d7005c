import { RingrankError } from "@ringrank/errors";
import type { LocalValue } from "@ringrank/policy";
import type { InOrder } from "../tensors/in-order.js";
import { sameSizes } from "../tensors/tensor.js";
import { type Bindings, bindSizes } from "./size-product.js";

/**
 * Checks the sizes of an entry's inputs, and determines those of its symbolic dimensions. Inputs of the same sizes as
 * in the last run, as in almost all decode steps, are only compared with those.
 */
export class InputSizes {
  readonly #declared: readonly LocalValue[];
  #last: { readonly sizes: readonly (readonly number[])[]; readonly bindings: Bindings } | undefined;

  constructor(declared: readonly LocalValue[]) {
    this.#declared = declared;
  }

  /** @throws RR_INPUT if an input is missing; RR_SHAPE if sizes contradict one another */
  bind(inputs: InOrder): Bindings {
    if (this.#last !== undefined && haveSizes(inputs, this.#last.sizes)) return this.#last.bindings;
    const bindings: Bindings = new Map();
    const sizes = Array.from(this.#declared, (declared, at) => {
      const value = inputs[at];
      if (value === undefined)
        throw new RingrankError("RR_INPUT", `expected the input "${declared.name}", got none`);
      bindSizes(declared, value.dims, bindings);
      return value.dims;
    });
    this.#last = { sizes, bindings };
    return bindings;
  }
}

function haveSizes(inputs: InOrder, sizes: readonly (readonly number[])[]): boolean {
  for (let at = 0; at < sizes.length; at++) {
    const dims = inputs[at]?.dims;
    if (dims !== sizes[at] && (dims === undefined || !sameSizes(dims, sizes[at]!))) return false;
  }
  return true;
}
