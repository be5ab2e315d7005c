import { findCachedAttention } from "../../analysis/cached-attention.js";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { Plan } from "../../decide/decide.js";
import { sizeOf } from "../../factors/factor.js";
import { sizeProduct } from "../../shapes/index.js";
import type { Apart } from "./apart.js";
import type { ProductKind } from "./matrix-product.js";
import { findNormalizations } from "./normalizations.js";
import { findProductsApart } from "./products-apart.js";

/**
 * Finds what does not run in the segments of a plan. Found on the whole graph, so that it is the same on all ranks.
 *
 * @param kinds kinds of products that are computed outside of segments
 */
export function findApart(
  factored: FactoredGraph,
  routed: readonly RoutedExperts[],
  plan: Plan,
  kinds: readonly ProductKind[],
): Apart {
  const experts = routed.filter(
    ({ body, product, output }) =>
      isUnbroken([...body, product], factored, plan) && isSized(output, factored),
  );
  const attention = findCachedAttention(factored).filter(({ body }) => isUnbroken(body, factored, plan));
  const taken = new Set([...experts, ...attention].flatMap(({ body }) => body));
  const { placement } = plan;
  const products = findProductsApart(factored, placement, taken, kinds);
  const normalizations = findNormalizations(factored, placement, products);
  return { experts, attention, products, normalizations };
}

/** Whether no sum needs to be reduced inside `body`. */
function isUnbroken(body: readonly number[], { nodes }: FactoredGraph, { placement }: Plan): boolean {
  return body.every((index) => !nodes[index]!.operator.node.outputs.some((name) => placement.paid.has(name)));
}

/** Whether the size of a value follows from the sizes of a call, before the value is computed. */
function isSized(value: string, { values, symbols }: FactoredGraph): boolean {
  return values.get(value)!.every((dim) => sizeProduct(sizeOf(dim), symbols) !== undefined);
}
