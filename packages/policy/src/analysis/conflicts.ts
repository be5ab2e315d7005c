import { type Dim, type Factor, partsOf, resolve } from "../factors/factor.js";
import type { FactoredGraph } from "./factored-graph.js";

/**
 * Which factors meet in one product of one tensor. A rank has one interval of every factor that it shards, so two
 * factors that meet cannot both be sharded: only the diagonal blocks of that tensor would exist. Factors in different
 * segments of a sum do not meet.
 */
export class Conflicts {
  readonly #meets = new Map<Factor, Set<Factor>>();
  readonly #always = new Map<Factor, Set<Factor>>();

  constructor(factored: FactoredGraph, candidates: ReadonlySet<Factor>) {
    const seen = new Set<string>();
    const ids = new Map<Factor, number>();
    const add = (dims: readonly Dim[]): void => {
      // Layers repeat tensors with the same factors, above all the residual stream, so each is only examined once.
      const flat = dims.flatMap(resolve);
      const key = flat.map((factor) => idOf(factor, ids)).join(",");
      if (seen.has(key)) return;
      seen.add(key);
      this.#product(flat, candidates);
      this.#companions(flat, new Set(), candidates);
    };
    // Most inputs are values.
    const tensors = new Set([...factored.values.values(), ...factored.nodes.flatMap(({ inputs }) => inputs)]);
    for (const dims of tensors) add(dims);
    // The terms of a sum are a tensor too, if no operand has all of its axes: `bi,jk->bi`.
    for (const { contracted, outputs } of factored.nodes)
      if (contracted.length > 0) add([...outputs[0]!, ...contracted]);
  }

  /** Whether `a` and `b` meet. `a` may equal `b`, if one tensor contains the factor twice. */
  meet(a: Factor, b: Factor): boolean {
    return this.#meets.get(a)?.has(b) ?? false;
  }

  /** Factors that meet `factor`. */
  of(factor: Factor): ReadonlySet<Factor> {
    return this.#meets.get(factor) ?? new Set();
  }

  /**
   * Factors that every product with `factor` also contains: the group of query heads never occurs without its key head.
   */
  alwaysWith(factor: Factor): ReadonlySet<Factor> {
    return this.#always.get(factor) ?? new Set();
  }

  #companions(
    product: readonly Factor[],
    around: ReadonlySet<Factor>,
    candidates: ReadonlySet<Factor>,
  ): void {
    const here = new Set([...around, ...product.filter((factor) => candidates.has(factor))]);
    for (const factor of product) {
      const parts = partsOf(factor);
      if (parts !== undefined) {
        for (const part of parts) this.#companions(resolve(part), here, candidates);
      } else if (candidates.has(factor)) {
        const before = this.#always.get(factor) ?? here;
        this.#always.set(factor, new Set([...before].filter((other) => other !== factor && here.has(other))));
      }
    }
  }

  /** Records the meetings inside a product and returns the candidates in it. */
  #product(product: readonly Factor[], candidates: ReadonlySet<Factor>): Set<Factor> {
    const all = new Set<Factor>();
    for (const factor of product) {
      const mine = new Set<Factor>();
      const parts = partsOf(factor);
      if (parts === undefined) {
        if (candidates.has(factor)) mine.add(factor);
      } else {
        for (const part of parts) for (const one of this.#product(resolve(part), candidates)) mine.add(one);
      }
      for (const one of mine) {
        for (const other of all) {
          this.#add(one, other);
          this.#add(other, one);
        }
      }
      for (const one of mine) all.add(one);
    }
    return all;
  }

  #add(a: Factor, b: Factor): void {
    const known = this.#meets.get(a);
    if (known === undefined) this.#meets.set(a, new Set([b]));
    else known.add(b);
  }
}

function idOf(factor: Factor, ids: Map<Factor, number>): number {
  const known = ids.get(factor);
  if (known !== undefined) return known;
  ids.set(factor, ids.size);
  return ids.size - 1;
}
