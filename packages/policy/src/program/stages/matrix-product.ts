import { floatAttribute, type Graph, type GraphNode, intAttribute, type Weight } from "@ringrank/model";
import { isParameter } from "../../analysis/roles.js";
import { operatorName } from "../../graph/operator-name.js";
import { transposesSecondAtMost } from "../../graph/transposition.js";

/** The kind of a product's matrix: block-quantized, float32, or block-quantized and one expert's part of a stack. */
export const productKinds = ["quantized", "float32", "experts"] as const;
export type ProductKind = (typeof productKinds)[number];

/** The product of a value and a matrix of parameters that has a row for each column of the result. */
export interface MatrixProduct {
  /** Name of the value that is multiplied. */
  readonly x: string;
  /** Columns of the result. */
  readonly columns: number;
  /** The row that the node itself adds to each row of the result; `""` if there is none. */
  readonly bias: string;
}

/**
 * The product that `node` computes, if ranks can multiply by its matrix themselves. A float32 matrix is stored in the
 * model's files as it is. A quantized one has 4 or 8 bits in blocks of 32, no zero points and no reordering, and the
 * node allows the other factor to be rounded to int8.
 */
export function matrixProduct(
  graph: Graph,
  node: GraphNode,
  kinds: readonly ProductKind[],
): MatrixProduct | undefined {
  const product =
    (kinds.includes("quantized") ? quantizedProduct(graph, node) : undefined) ??
    (kinds.includes("float32") ? floatProduct(graph, node) : undefined);
  if (product === undefined || product.bias === "") return product;
  return isRowOf(graph, product.bias, product.columns) ? product : undefined;
}

/** Whether `name` is a parameter that can be added to every row of a matrix with that many columns. */
export function isRowOf(graph: Graph, name: string, columns: number): boolean {
  return isKept(graph, name, "float32", 1) && graph.weights.get(name)!.dims[0] === columns;
}

/** https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits */
function quantizedProduct(graph: Graph, node: GraphNode): MatrixProduct | undefined {
  if (operatorName(node) !== "com.microsoft::MatMulNBits") return undefined;
  const [x, values, scales, ...others] = node.inputs as [string, string, string, ...string[]];
  const [zeroPoints = "", order = "", bias = ""] = others;
  const is = (name: string, value: number): boolean => intAttribute(node, name, 0) === value;
  const isRounded = (is("bits", 4) || is("bits", 8)) && is("block_size", 32) && is("accuracy_level", 4);
  const isPlain = zeroPoints === "" && order === "";
  const areKept = isKept(graph, values, "uint8", 3) && isKept(graph, scales, "float32", 2);
  return isRounded && isPlain && areKept ? { x, columns: intAttribute(node, "N", 0), bias } : undefined;
}

/**
 * A plain MatMul has a column of its matrix for each column of the result, so it is not among these.
 *
 * https://onnx.ai/onnx/operators/onnx__Gemm.html,
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.FusedMatMul
 */
const floatProducts: ReadonlySet<string> = new Set(["Gemm", "com.microsoft::FusedMatMul"]);

function floatProduct(graph: Graph, node: GraphNode): MatrixProduct | undefined {
  if (!floatProducts.has(operatorName(node))) return undefined;
  const [x, matrix, bias = ""] = node.inputs as [string, string, string?];
  const isTransposed = intAttribute(node, "transB", 0) === 1;
  const isScaled = ["alpha", "beta"].some((name) => floatAttribute(node, name, 1) !== 1);
  if (!isTransposed || !transposesSecondAtMost(node) || isScaled || !isKept(graph, matrix, "float32", 2))
    return undefined;
  return { x, columns: graph.weights.get(matrix)!.dims[0]!, bias };
}

function isKept({ weights }: Graph, name: string, type: Weight["type"], axes: number): boolean {
  const weight = weights.get(name);
  return weight !== undefined && isParameter(weight) && weight.type === type && weight.dims.length === axes;
}
