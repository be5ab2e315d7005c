import type { SizePair } from "../factors/factor.js";
import { makeNode } from "../rules/attributes.js";
import type { Segment } from "./program.js";
import { makeSegment } from "./segment.js";

/**
 * Rows times a matrix that has a row for each column it makes, of any sizes; for all products of a program alike
 * (https://onnx.ai/onnx/operators/onnx__Gemm.html):
 *
 *     rows [rows, width]   matrix [columns, width]   →   rows · matrixᵀ [rows, columns]
 *
 * For many rows it costs less to widen a quantized matrix once and multiply in float32 than to multiply row by row.
 */
export function makeProductSegment(): Segment {
  const node = makeNode("Gemm", ["rows", "matrix"], "product", { transB: { kind: "int", value: 1 } });
  const open: SizePair = [1, 2];
  return makeSegment([node], new Set(node.outputs), {
    opsets: { "": 23 },
    shards: new Map(),
    constants: new Map(),
    values: new Map(
      ["rows", "matrix", "product"].map((name) => [name, { type: "float32", dims: [open, open] }]),
    ),
    uses: new Map(),
  });
}
