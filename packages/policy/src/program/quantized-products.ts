import { intAttribute, type Weight } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import { isParameter } from "../analysis/roles.js";
import { Wiring } from "../analysis/wiring.js";
import type { Placement } from "../decide/placement.js";
import { operatorName } from "../rules/table.js";

/** A product with block-quantized weights that ranks compute themselves, where they run its node. */
export interface QuantizedProduct {
  /** Index of the product in the whole graph. */
  readonly node: number;
  /** Of the sum that adds its bias, where one does. */
  readonly sum: number | undefined;
}

/** Indices of its nodes; the last gives what is read. */
export function bodyOf({ node, sum }: QuantizedProduct): readonly number[] {
  return sum === undefined ? [node] : [node, sum];
}

/**
 * Products of float32 rows, rounded to int8, with block-quantized weights that are kept in files: of 4 or 8 bits, in
 * blocks of 32, without zero points and in their own order. A row that is added to such a product alone is its bias.
 * Found on the whole graph, so that all ranks round a value alike.
 *
 * @param taken indices of nodes that something else computes
 */
export function findQuantizedProducts(
  factored: FactoredGraph,
  { paid, partial }: Pick<Placement, "paid" | "partial">,
  taken: ReadonlySet<number>,
): QuantizedProduct[] {
  const { graph, nodes, shapes } = factored;
  const wiring = Wiring.of(factored);

  return nodes.flatMap(({ operator }, node): QuantizedProduct[] => {
    if (taken.has(node) || operatorName(operator.node) !== "com.microsoft::MatMulNBits") return [];
    const [x, values, scales, ...others] = operator.node.inputs as [string, string, string, ...string[]];
    const [zeroPoints = "", order = "", bias = ""] = others;
    const is = (name: string, value: number): boolean => intAttribute(operator.node, name, 0) === value;
    const isRounded = (is("bits", 4) || is("bits", 8)) && is("block_size", 32) && is("accuracy_level", 4);
    const columns = intAttribute(operator.node, "N", 0);
    const areFit =
      shapes.get(x)?.type === "float32" &&
      zeroPoints === "" &&
      order === "" &&
      isKept(values, "uint8", 3) &&
      isKept(scales, "float32", 2) &&
      (bias === "" || isRow(bias, columns));
    if (!isRounded || !areFit) return [];
    return [{ node, sum: bias === "" ? biasSum(operator.node.outputs[0]!, columns) : undefined }];
  });

  /** The one node that reads a product, if it adds a bias. */
  function biasSum(product: string, columns: number): number | undefined {
    const sum = wiring.soleReader(product);
    if (sum === undefined || taken.has(sum) || paid.has(product)) return undefined;
    const { opType, domain, inputs, outputs } = wiring.node(sum);
    const bias = inputs.find((name) => name !== product);
    if (opType !== "Add" || domain !== "" || bias === undefined || !isRow(bias, columns)) return undefined;
    // What is owed to a sum that the caller is given is copied, not named anew.
    const isGiven = graph.outputs.some(({ name }) => name === outputs[0]);
    return partial.has(product) && isGiven ? undefined : sum;
  }

  function isKept(name: string, type: Weight["type"], axes: number): boolean {
    const weight = graph.weights.get(name);
    return weight !== undefined && isParameter(weight) && weight.type === type && weight.dims.length === axes;
  }

  function isRow(name: string, width: number): boolean {
    return isKept(name, "float32", 1) && graph.weights.get(name)!.dims[0] === width;
  }
}
