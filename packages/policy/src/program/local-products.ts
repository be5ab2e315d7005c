import { type GraphNode, intAttribute } from "@ringrank/model";
import { axisOf } from "../graph/axis.js";
import { operatorName } from "../graph/operator-name.js";
import { Wiring } from "../graph/wiring.js";
import type { LocalValues } from "./local-values.js";
import type { LocalGraph } from "./localize.js";
import type { ProductApart } from "./products-apart.js";
import type { FloatProductStep, ProductOutput, QuantizedProductStep } from "./program.js";

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

/** The parts of a stage that concern products. */
interface MultiplyingStage {
  readonly nodes: readonly GraphNode[];
  readonly products: readonly LocalProducts[];
}

/**
 * Joins outputs of one step that are only read by a Concat along the last axis: a step can write them side by side
 * directly, in the Concat's order.
 *
 * @param readApart names of everything that is read by anything other than the stages' own nodes
 */
export function joinOutputs<S extends MultiplyingStage>(
  stages: readonly S[],
  values: LocalValues,
  readApart: Iterable<string>,
): S[] {
  const wiring = new Wiring(
    stages.flatMap(({ nodes }) => nodes),
    Array.from(readApart, (name) => ({ name })),
  );
  const superfluous = new Set<GraphNode>();
  const joined = stages.map((stage) => ({ ...stage, products: stage.products.map(joinStep) }));
  return joined.map((stage) => ({ ...stage, nodes: stage.nodes.filter((node) => !superfluous.has(node)) }));

  function joinStep(step: LocalProducts): LocalProducts {
    const byName = new Map(step.outputs.map((output) => [output.name, output]));
    const outputs = step.outputs.flatMap((output): readonly ProductOutput[] => {
      if (!byName.has(output.name)) return [];
      const reader = wiring.soleReader(output.name);
      const concat = reader === undefined ? undefined : wiring.node(reader);
      const parts = concat?.inputs.flatMap((name) => byName.get(name) ?? []) ?? [];
      const isOnlyConcatenated =
        concat !== undefined &&
        joinsColumns(concat) &&
        parts.length === concat.inputs.length &&
        parts.every(({ name }) => wiring.soleReader(name) === reader);
      if (!isOnlyConcatenated) return [output];
      for (const { name } of parts) byName.delete(name);
      superfluous.add(concat);
      return [{ name: concat.outputs[0]!, matrices: parts.flatMap(({ matrices }) => matrices) }];
    });
    return withOutputs(step, outputs);
  }

  function joinsColumns(node: GraphNode): boolean {
    const axes = values.get(node.inputs[0]!)?.dims.length;
    if (operatorName(node) !== "Concat" || axes === undefined) return false;
    return axisOf(node, 0, axes) === axes - 1;
  }
}
