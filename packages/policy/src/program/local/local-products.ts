import { type GraphNode, intAttribute } from "@ringrank/model";
import type { FloatProductStep, ProductOutput, QuantizedProductStep } from "../program.js";
import type { ProductApart } from "../stages/products-apart.js";
import type { LocalGraph } from "./localize.js";

/** The products of one value on one rank, which become a step. */
export type LocalProducts = LocalPart<QuantizedProductStep> | LocalPart<FloatProductStep>;

type LocalPart<S extends QuantizedProductStep | FloatProductStep> = Omit<S, "kind" | "segments">;

/**
 * One rank's part of some products. Products of the same value are grouped, so that the value is rounded once, if it is
 * rounded.
 */
export function localProducts(products: readonly ProductApart[], local: LocalGraph): LocalProducts[] {
  return byValue(products.map((product) => localProduct(product, local)));
}

/** Products of one value become one, with an output for each. */
export function byValue(products: readonly LocalProducts[]): LocalProducts[] {
  const together = new Map<string, LocalProducts>();
  for (const one of products) {
    const key = JSON.stringify([one.value, one.width, one.bits]);
    const others = together.get(key)?.outputs ?? [];
    together.set(key, withOutputs(one, [...others, ...one.outputs]));
  }
  return [...together.values()];
}

function localProduct({ value: given, body }: ProductApart, local: LocalGraph): LocalProducts {
  const [product, ...others] = body.flatMap((index) => local.nodes[index]!) as [GraphNode, ...GraphNode[]];
  const value = local.nameOf(given)!;
  const name = (others.at(-1) ?? product).outputs[0]!;
  // Undefined if the bias counts on another rank, or later.
  const sum = others.find(({ opType }) => opType === "Add");
  const added = sum?.inputs.find((name) => name !== product.outputs[0]);
  const biasOf = (own = "") => {
    const bias = added ?? own;
    return bias === "" ? {} : { bias };
  };

  const [, values, ...rest] = product.inputs as [string, string, ...string[]];
  const { weight, dims } = local.shards.get(values)!;
  const [rows, width] = dims as [number, number, ...number[]];
  if (weight.type === "float32") {
    return { value, width, bits: 32, outputs: [{ name, matrices: [{ rows, values, ...biasOf(rest[0]) }] }] };
  }
  const [scales, , , bias] = rest as [string, ...string[]];
  return {
    value,
    width: intAttribute(product, "K", 0),
    bits: intAttribute(product, "bits", 4) === 8 ? 8 : 4,
    outputs: [{ name, matrices: [{ rows, values, scales, ...biasOf(bias) }] }],
  };
}

/** @param outputs outputs with matrices of the same kind */
export function withOutputs<Products extends LocalProducts>(
  products: Products,
  outputs: readonly ProductOutput[],
): Products {
  return { ...products, outputs };
}

/** Names of the weights of the products. */
export function weightsOf({ outputs }: LocalProducts): string[] {
  return outputs.flatMap(({ matrices }) => matrices.flatMap(({ rows: _, ...names }) => Object.values(names)));
}
