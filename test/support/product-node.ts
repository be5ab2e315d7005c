import type { GraphNode } from "@ringrank/model";
import type { ProductMatrix, ProductStep } from "@ringrank/policy";

/**
 * ONNX Runtime's own operator for a matrix of a product step, from `x` to `y`, with weights by their names in the
 * program.
 *
 * @param accuracyLevel for quantized weights: 4 rounds activations to int8, 1 does not
 */
export function productNode(
  { bits, width }: Pick<ProductStep, "bits" | "width">,
  matrix: ProductMatrix,
  accuracyLevel: 1 | 4,
): GraphNode {
  const { rows, values, bias = "" } = matrix;
  if (!("scales" in matrix)) {
    const inputs = ["x", values, bias];
    return { opType: "Gemm", domain: "", inputs, outputs: ["y"], attributes: ints({ transB: 1 }) };
  }
  return {
    opType: "MatMulNBits",
    domain: "com.microsoft",
    inputs: ["x", values, matrix.scales, "", "", bias],
    outputs: ["y"],
    attributes: ints({ K: width, N: rows, bits, block_size: 32, accuracy_level: accuracyLevel }),
  };
}

function ints(attributes: Readonly<Record<string, number>>): GraphNode["attributes"] {
  const all = Object.entries(attributes).map(([name, value]) => [name, { kind: "int", value } as const]);
  return Object.fromEntries(all);
}
