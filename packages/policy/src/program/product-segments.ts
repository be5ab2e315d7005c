import type { SizePair } from "../factors/factor.js";
import { makeNode } from "../rules/attributes.js";
import type { Segment } from "./program.js";
import { makeSegment } from "./segment.js";

/** Of unsigned bytes, the one that stands for 0. */
const zero = 128;

/**
 * A matrix of whole numbers times columns of others, of any sizes; for all products of a program alike
 * (https://onnx.ai/onnx/operators/onnx__MatMulInteger.html):
 *
 *     weights [rows, width] uint8   activations [width, columns] int8 or uint8   →   sums [rows, columns] int32
 *
 * For many rows of activations it costs less to make a quantized matrix whole numbers of one scale than to multiply
 * block by block, and whole numbers are multiplied faster than floats: docs/design/products-of-many-rows.md.
 */
export function makeIntegerSegment(activations: "int8" | "uint8"): Segment {
  const zeros = activations === "uint8" ? ["zero", "zero"] : ["zero"];
  const node = makeNode("MatMulInteger", ["weights", "activations", ...zeros], "sums", {});
  const open: SizePair = [1, 2];
  const dims = [open, open];
  const data = Uint8Array.of(zero);
  return makeSegment([node], new Set(node.outputs), {
    opsets: { "": 23 },
    shards: new Map(),
    constants: new Map([["zero", { type: "uint8", dims: [], source: { kind: "inline", data } }]]),
    values: new Map([
      ["weights", { type: "uint8", dims }],
      ["activations", { type: activations, dims }],
      ["sums", { type: "int32", dims }],
    ]),
    uses: new Map(),
  });
}

/**
 * Rows of one matrix of floats times those of another, likewise (https://onnx.ai/onnx/operators/onnx__Gemm.html):
 *
 *     left [rows, width] float32   right [columns, width] float32   →   products [rows, columns] float32
 */
export function makeFloatSegment(): Segment {
  const node = makeNode("Gemm", ["left", "right"], "products", { transB: { kind: "int", value: 1 } });
  const open: SizePair = [1, 2];
  const matrix = { type: "float32", dims: [open, open] } as const;
  return makeSegment([node], new Set(node.outputs), {
    opsets: { "": 23 },
    shards: new Map(),
    constants: new Map(),
    values: new Map([...node.inputs, ...node.outputs].map((name) => [name, matrix])),
    uses: new Map(),
  });
}
