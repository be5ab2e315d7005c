import { intAttribute, type Weight } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import { isReshaping } from "../analysis/reshaping.js";
import { isParameter } from "../analysis/roles.js";
import { Wiring } from "../analysis/wiring.js";
import type { Placement } from "../decide/placement.js";
import { operatorName } from "../rules/table.js";

/** A product with block-quantized weights that ranks compute themselves, where they run its node. */
export interface QuantizedProduct {
  /** Name of what is multiplied. */
  readonly value: string;
  /**
   * Indices in the whole graph: the product, the sum that adds its bias, and what gives that the shape of the value, where
   * there are such. The last gives what is read.
   */
  readonly body: readonly number[];
}

/**
 * Products of float32 rows, rounded to int8, with block-quantized weights that are kept in files: of 4 or 8 bits, in
 * blocks of 32, without zero points and in their own order. A row that is added to such a product alone is its bias. A
 * value that only becomes a matrix for its product, and back, as linear layers of more than two axes are exported, stays
 * as it is. Found on the whole graph, so that all ranks round a value alike.
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
    const sum = bias === "" ? biasSum(outputOf(node), columns) : undefined;
    const body = sum === undefined ? [node] : [node, sum];
    return [unfolded(x, outputOf(body.at(-1)!), body) ?? { value: x, body }];
  });

  function outputOf(node: number): string {
    return wiring.node(node).outputs[0]!;
  }

  /** The product of what `x` was before it became a matrix, if the one reader of the output undoes that. */
  function unfolded(x: string, output: string, body: readonly number[]): QuantizedProduct | undefined {
    const [before, after] = [wiring.producer(x), wiring.soleReader(output)];
    if (before === undefined || after === undefined || [before, after].some((node) => taken.has(node)))
      return undefined;
    // Of what is paid for as a matrix, ranks have no more than their parts before it became one.
    if (paid.has(x) || paid.has(output)) return undefined;
    if (![before, after].every((node) => isReshaping(wiring.node(node)))) return undefined;
    const [value] = wiring.node(before).inputs as [string];
    if (graph.weights.has(value) || wiring.node(after).inputs[0] !== output) return undefined;
    const [given, made] = [value, outputOf(after)].map((name) => shapes.get(name)!.dims);
    const [width, columns] = [x, output].map((name) => shapes.get(name)!.dims.at(-1)!);
    const isUndone =
      JSON.stringify(given!.slice(0, -1)) === JSON.stringify(made!.slice(0, -1)) &&
      JSON.stringify([given!.at(-1), made!.at(-1)]) === JSON.stringify([width, columns]);
    return isUndone ? { value, body: [...body, after] } : undefined;
  }

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
