import type { CachedAttention } from "../../analysis/cached-attention.js";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { NormalizedValue } from "./normalizations.js";
import type { ProductApart } from "./products-apart.js";

/** What does not run in the segment of its stage. */
export interface Apart {
  readonly experts: readonly RoutedExperts[];
  readonly attention: readonly CachedAttention[];
  readonly products: readonly ProductApart[];
  readonly normalizations: readonly NormalizedValue[];
}

/** The same by the index of the node with which it ends. */
export class ApartByNode {
  readonly experts: ReadonlyMap<number, RoutedExperts>;
  readonly attention: ReadonlyMap<number, CachedAttention>;
  readonly products: ReadonlyMap<number, ProductApart>;
  readonly normalizations: ReadonlyMap<number, NormalizedValue>;
  readonly #nodes: FactoredGraph["nodes"];
  readonly #inside: ReadonlySet<number>;

  constructor({ nodes }: FactoredGraph, { experts, attention, products, normalizations }: Apart) {
    this.experts = new Map(experts.map((one) => [one.sum, one]));
    // At its last node, everything that attention reads has been passed.
    this.attention = new Map(attention.map((one) => [one.body.at(-1)!, one]));
    this.products = new Map(products.map((one) => [one.body.at(-1)!, one]));
    this.normalizations = new Map(normalizations.map((one) => [one.node, one]));
    this.#nodes = nodes;
    this.#inside = new Set([
      ...experts.flatMap(({ body, product }) => [...body, product]),
      ...[...attention, ...products].flatMap(({ body }) => body.slice(0, -1)),
    ]);
  }

  /** Whether something that runs outside of segments ends with the node. */
  endsWith(node: number): boolean {
    return [this.experts, this.attention, this.products, this.normalizations].some((ofKind) =>
      ofKind.has(node),
    );
  }

  /** Whether the node is a part of something that ends with another. */
  contains(node: number): boolean {
    return this.#inside.has(node);
  }

  /** Names of what is read by the node, or by what ends with it. */
  readsOf(node: number): readonly string[] {
    const routed = this.experts.get(node);
    if (routed !== undefined) return [routed.rows, routed.weights];
    const product = this.products.get(node);
    if (product !== undefined) return [product.value];
    return this.attention.get(node)?.body.flatMap((index) => this.#inputsOf(index)) ?? this.#inputsOf(node);
  }

  #inputsOf(node: number): readonly string[] {
    return this.#nodes[node]!.operator.node.inputs;
  }
}
