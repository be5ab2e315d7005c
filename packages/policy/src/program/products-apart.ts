import { floatAttribute, type GraphNode, intAttribute, type Weight } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import { rankedValues } from "../analysis/ranked.js";
import { isReshaping } from "../analysis/reshaping.js";
import { isParameter } from "../analysis/roles.js";
import type { Placement } from "../decide/placement.js";
import { operatorName } from "../rules/table.js";

/** By what matrices are of: block-quantized weights, or float32. */
export const productKinds = ["quantized", "float32"] as const;
export type ProductKind = (typeof productKinds)[number];

/** A product by a matrix of parameters that ranks compute themselves, where they run its node. */
export interface ProductApart {
  /** Name of what is multiplied. */
  readonly value: string;
  /**
   * Indices in the whole graph: the product, the sum that adds its bias, and what gives that the shape of the value,
   * where there are such. The last gives what is read.
   */
  readonly body: readonly number[];
}

/** What a node multiplies, where it is a product by a matrix with a row for each column that it makes. */
interface MatrixProduct {
  readonly x: string;
  /** Of the matrix. */
  readonly columns: number;
  /** What it adds to each row itself; `""` where that is nothing. */
  readonly bias: string;
}

/**
 * Products of float32 rows by a matrix of parameters that is kept in files, a row for each column that they make: of
 * float32; or block-quantized, of 4 or 8 bits, in blocks of 32, without zero points and in their own order, where the
 * rows may be rounded to int8. A row that is added to such a product alone is its bias. A value that only becomes a
 * matrix for its product, and back, as linear layers of more than two axes are exported, stays as it is. Found on the
 * whole graph, so that all ranks round a value alike. A product whose result is ranked, as a router's, is none: kernels
 * and sessions add up in different orders, and ranks that differ in which they use would pick different experts.
 *
 * @param taken indices of nodes that something else computes
 * @param kinds of which products are looked for
 */
export function findProductsApart(
  factored: FactoredGraph,
  { paid, partial }: Pick<Placement, "paid" | "partial">,
  taken: ReadonlySet<number>,
  kinds: readonly ProductKind[],
): ProductApart[] {
  const { graph, nodes, shapes, wiring } = factored;
  const ranked = rankedValues(graph.nodes);

  return nodes.flatMap(({ operator }, node): ProductApart[] => {
    if (taken.has(node)) return [];
    const product =
      (kinds.includes("quantized") ? quantizedProduct(operator.node) : undefined) ??
      (kinds.includes("float32") ? floatProduct(operator.node) : undefined);
    if (product === undefined) return [];
    const { x, columns, bias } = product;
    const isFit = !graph.weights.has(x) && shapes.get(x)?.type === "float32";
    if (!isFit || (bias !== "" && !isRow(bias, columns))) return [];
    const sum = bias === "" ? biasSum(outputOf(node), columns) : undefined;
    const body = sum === undefined ? [node] : [node, sum];
    if (ranked.has(outputOf(node))) return [];
    return [unfolded(x, outputOf(body.at(-1)!), body) ?? { value: x, body }];
  });

  function quantizedProduct(node: GraphNode): MatrixProduct | undefined {
    if (operatorName(node) !== "com.microsoft::MatMulNBits") return undefined;
    const [x, values, scales, ...others] = node.inputs as [string, string, string, ...string[]];
    const [zeroPoints = "", order = "", bias = ""] = others;
    const is = (name: string, value: number): boolean => intAttribute(node, name, 0) === value;
    const isRounded = (is("bits", 4) || is("bits", 8)) && is("block_size", 32) && is("accuracy_level", 4);
    const isPlain = zeroPoints === "" && order === "";
    if (!isRounded || !isPlain || !isKept(values, "uint8", 3) || !isKept(scales, "float32", 2))
      return undefined;
    return { x, columns: intAttribute(node, "N", 0), bias };
  }

  function floatProduct(node: GraphNode): MatrixProduct | undefined {
    if (!floatProducts.has(operatorName(node))) return undefined;
    const [x, matrix, bias = ""] = node.inputs as [string, string, string?];
    const isTurned = intAttribute(node, "transB", 0) === 1;
    const isElse = ["transA", "transBatchA", "transBatchB"].some((name) => intAttribute(node, name, 0) !== 0);
    const isScaled = ["alpha", "beta"].some((name) => floatAttribute(node, name, 1) !== 1);
    if (!isTurned || isElse || isScaled || !isKept(matrix, "float32", 2)) return undefined;
    return { x, columns: graph.weights.get(matrix)!.dims[0]!, bias };
  }

  function outputOf(node: number): string {
    return wiring.node(node).outputs[0]!;
  }

  /** The product of what `x` was before it became a matrix, if the one reader of the output undoes that. */
  function unfolded(x: string, output: string, body: readonly number[]): ProductApart | undefined {
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

/** https://onnx.ai/onnx/operators/onnx__Gemm.html and ONNX Runtime's contrib operator; a plain MatMul turns nothing. */
const floatProducts: ReadonlySet<string> = new Set(["Gemm", "com.microsoft::FusedMatMul"]);
