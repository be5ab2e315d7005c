import type { Tensor } from "./tensor.js";

/**
 * Values in the order in which an entry declares them, its inputs or its outputs; undefined for those that are not
 * there. A step has some fifty of each, so looking all of them up by name cost a tenth of a millisecond per token.
 */
export type InOrder = readonly (Tensor | undefined)[];

interface Named {
  readonly name: string;
}

/** Values by name, in order. */
export function inOrder(declared: readonly Named[], values: ReadonlyMap<string, Tensor>): InOrder {
  return Array.from(declared, ({ name }) => values.get(name));
}

/** Values in order, by name. */
export function byName(declared: readonly Named[], values: InOrder): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  for (const [at, { name }] of declared.entries()) {
    const value = values[at];
    if (value !== undefined) named.set(name, value);
  }
  return named;
}
