import type { FactoredGraph } from "../../analysis/factored-graph.js";
import { rankedValues } from "../../analysis/ranked.js";
import type { Placement } from "../../decide/placement.js";
import { isReshaping } from "../../graph/reshaping.js";
import { isRowOf, matrixProduct, type ProductKind } from "./matrix-product.js";

/** A product by a parameter matrix that ranks compute themselves if they run its node. */
export interface ProductApart {
  /** Name of the value that is multiplied. */
  readonly value: string;
  /**
   * Indices in the whole graph: the product and, if there are any, the sum that adds its bias, and the node that
   * restores the shape of the value. The output of the last one is read.
   */
  readonly body: readonly number[];
}

/** Determines which nodes may be part of a product. */
interface Surroundings {
  readonly factored: FactoredGraph;
  readonly placement: Pick<Placement, "paid" | "partial">;
  readonly taken: ReadonlySet<number>;
}

/**
 * Products of float32 rows by a parameter matrix that ranks multiply by themselves (`matrix-product.ts`). A row that is
 * added to nothing but such a product is its bias. Exports of linear layers with more than two axes reshape the value
 * to a matrix for the product, and undo that afterwards; here, the value keeps its shape. The products are found on the
 * whole graph, so that all ranks round a value alike.
 *
 * A product whose result is ranked, such as a router's, is left out: kernels and sessions add in different orders, so
 * ranks that use different ones would pick different experts.
 *
 * @param taken indices of nodes that something else computes
 * @param kinds kinds of products to look for
 */
export function findProductsApart(
  factored: FactoredGraph,
  placement: Pick<Placement, "paid" | "partial">,
  taken: ReadonlySet<number>,
  kinds: readonly ProductKind[],
): ProductApart[] {
  const { graph, shapes } = factored;
  const ranked = rankedValues(graph.nodes);
  const surroundings = { factored, placement, taken };
  return factored.nodes.flatMap(({ operator: { node } }, index): ProductApart[] => {
    const product = taken.has(index) ? undefined : matrixProduct(graph, node, kinds);
    if (product === undefined) return [];
    const { x, columns, bias } = product;
    const output = node.outputs[0]!;
    if (graph.weights.has(x) || shapes.get(x)?.type !== "float32" || ranked.has(output)) return [];
    const sum = bias === "" ? biasSum(output, columns, surroundings) : undefined;
    const apart = { value: x, body: sum === undefined ? [index] : [index, sum] };
    return [withoutReshapes(apart, surroundings) ?? apart];
  });
}

/** Index of the only node that reads a product, if it adds a bias. */
function biasSum(
  product: string,
  columns: number,
  { factored: { graph, wiring }, placement: { paid, partial }, taken }: Surroundings,
): number | undefined {
  const sum = wiring.soleReader(product);
  if (sum === undefined || taken.has(sum) || paid.has(product)) return undefined;
  const { opType, domain, inputs, outputs } = wiring.node(sum);
  const bias = inputs.find((name) => name !== product);
  if (opType !== "Add" || domain !== "" || bias === undefined || !isRowOf(graph, bias, columns))
    return undefined;
  // A partial sum that becomes an output is copied, not renamed.
  const isGiven = graph.outputs.some(({ name }) => name === outputs[0]);
  return partial.has(product) && isGiven ? undefined : sum;
}

/** The product of the value before it was reshaped to a matrix, if the only reader of the result undoes that. */
function withoutReshapes(
  { value: x, body }: ProductApart,
  { factored: { graph, shapes, wiring }, placement: { paid }, taken }: Surroundings,
): ProductApart | undefined {
  const output = wiring.node(body.at(-1)!).outputs[0]!;
  const [before, after] = [wiring.producer(x), wiring.soleReader(output)];
  if (before === undefined || after === undefined || [before, after].some((node) => taken.has(node)))
    return undefined;
  // If the value is reduced as a matrix, ranks only have partial sums before it became one.
  if (paid.has(x) || paid.has(output)) return undefined;
  if (![before, after].every((node) => isReshaping(wiring.node(node)))) return undefined;
  const [value] = wiring.node(before).inputs as [string];
  if (graph.weights.has(value) || wiring.node(after).inputs[0] !== output) return undefined;
  const [given, made] = [value, wiring.node(after).outputs[0]!].map((name) => shapes.get(name)!.dims);
  const [width, columns] = [x, output].map((name) => shapes.get(name)!.dims.at(-1)!);
  const isUndone =
    JSON.stringify(given!.slice(0, -1)) === JSON.stringify(made!.slice(0, -1)) &&
    JSON.stringify([given!.at(-1), made!.at(-1)]) === JSON.stringify([width, columns]);
  return isUndone ? { value, body: [...body, after] } : undefined;
}
