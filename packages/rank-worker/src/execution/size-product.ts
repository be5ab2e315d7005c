import { RingrankError } from "@ringrank/errors";
import type { LocalValue, SizeProduct } from "@ringrank/policy";

/** Sizes of symbolic dimensions (`batch`, `sequence`, `past`) in one call of an entry. */
export type Bindings = Map<string, number>;

/**
 * Determines the symbols of `value` from its actual sizes. A product with one unknown symbol binds it; a product
 * without unknown symbols is checked.
 *
 * @throws RR_SHAPE if the sizes contradict the declaration or one another
 */
export function bindSizes(value: LocalValue, dims: readonly number[], bindings: Bindings): void {
  if (dims.length !== value.dims.length) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected "${value.name}" to have ${value.dims.length} dimensions, got [${dims.join(", ")}]`,
    );
  }
  // A step has inputs for every layer's keys and values, so this avoids an iterator, which would create an object for
  // every axis.
  for (let axis = 0; axis < dims.length; axis++) {
    bindProduct(value.name, axis, value.dims[axis]!, dims[axis]!, bindings);
  }
}

function bindProduct(
  name: string,
  axis: number,
  product: SizeProduct,
  size: number,
  bindings: Bindings,
): void {
  let known = product.scale;
  let free: string | undefined;
  for (const symbol of product.symbols) {
    const bound = bindings.get(symbol);
    if (bound !== undefined) known *= bound;
    else if (free === undefined) free = symbol;
    else return; // Two unknowns: other inputs have to bind one of them.
  }
  // If `known` is 0, the remainder is NaN, so no size passes.
  if (free === undefined ? size === known : size % known === 0) {
    if (free !== undefined) bindings.set(free, size / known);
    return;
  }
  throw new RingrankError(
    "RR_SHAPE",
    `expected axis ${axis} of "${name}" to be ${free === undefined ? known : `a multiple of ${known}`}, got ${size}`,
  );
}

/** @throws RR_SHAPE if a symbol is not bound */
function resolveSize(product: SizeProduct, bindings: Bindings): number {
  return product.symbols.reduce((size, symbol) => {
    const bound = bindings.get(symbol);
    if (bound === undefined) {
      throw new RingrankError("RR_SHAPE", `expected an input that determines the size "${symbol}", got none`);
    }
    return size * bound;
  }, product.scale);
}

export function resolveSizes(dims: readonly SizeProduct[], bindings: Bindings): number[] {
  return dims.map((product) => resolveSize(product, bindings));
}
