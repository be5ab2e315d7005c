import { type GraphNode, intAttribute } from "@ringrank/model";
import { Wiring } from "../analysis/wiring.js";
import { normalizeAxis } from "../rules/attributes.js";
import { operatorName } from "../rules/table.js";
import type { LocalValues } from "./local-values.js";
import type { LocalGraph } from "./localize.js";
import type { ProductApart } from "./products-apart.js";
import type { ProductMatrix, ProductOutput, ProductStep } from "./program.js";

/** Products of one value on one rank: what becomes a step. */
export type LocalProducts = Pick<ProductStep, "value" | "width" | "bits" | "outputs">;

/** One rank's part of some products: those of one value together, in which it is rounded once, if it is. */
export function localProducts(products: readonly ProductApart[], local: LocalGraph): LocalProducts[] {
  const together = new Map<string, LocalProducts>();
  for (const { value: given, body } of products) {
    const [product, ...others] = body.flatMap((index) => local.nodes[index]!) as [GraphNode, ...GraphNode[]];
    const value = local.nameOf(given)!;
    const { matrix, width, bits } = localMatrix(product, local);
    // None, where the bias counts on another rank, or later.
    const sum = others.find(({ opType }) => opType === "Add");
    const added = sum?.inputs.find((name) => name !== product.outputs[0]);
    const output: ProductOutput = {
      name: (others.at(-1) ?? product).outputs[0]!,
      matrices: [added === undefined ? matrix : { ...matrix, bias: added }],
    };
    const key = JSON.stringify([value, width, bits]);
    const { outputs } = together.get(key) ?? { outputs: [] };
    together.set(key, { value, width, bits, outputs: [...outputs, output] });
  }
  return [...together.values()];
}

/** What a product reads, of the rank's own. */
function localMatrix(
  product: GraphNode,
  { shards }: LocalGraph,
): { readonly matrix: ProductMatrix } & Pick<LocalProducts, "width" | "bits"> {
  const [, values, ...others] = product.inputs as [string, string, ...string[]];
  const { weight, dims } = shards.get(values)!;
  const [rows, width] = dims as [number, number, ...number[]];
  const withBias = (matrix: ProductMatrix, bias = ""): ProductMatrix =>
    bias === "" ? matrix : { ...matrix, bias };
  if (weight.type === "float32") return { matrix: withBias({ rows, values }, others[0]), width, bits: 32 };
  const [scales, , , bias] = others as [string, ...string[]];
  const bits = intAttribute(product, "bits", 4) === 8 ? 8 : 4;
  return { matrix: withBias({ rows, values, scales }, bias), width: intAttribute(product, "K", 0), bits };
}

/** What of a stage products have to do with. */
interface MultiplyingStage {
  readonly nodes: readonly GraphNode[];
  readonly products: readonly LocalProducts[];
}

/**
 * Makes one output of those of one step that a Concat alone reads, along the last axis: a step can put them side by
 * side at once, in the Concat's order.
 *
 * @param readApart names of all that something else reads than the stages' own nodes
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
    return { ...step, outputs };
  }

  function joinsColumns(node: GraphNode): boolean {
    const axes = values.get(node.inputs[0]!)?.dims.length;
    if (operatorName(node) !== "Concat" || axes === undefined) return false;
    return normalizeAxis(intAttribute(node, "axis", 0), axes) === axes - 1;
  }
}
