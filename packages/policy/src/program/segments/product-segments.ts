import { int } from "@ringrank/model";
import { inlineWeight } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import type { SizePair } from "../../shapes/size-pair.js";
import type { Segment } from "../program.js";
import { makeSegment, noWeights } from "./segment.js";

/** A size that is unknown until the segment runs. */
const open: SizePair = [1, 2];

/** The unsigned byte that means 0. */
const zero = 128;

/**
 * An integer matrix times integer columns, of any sizes; shared by all products of a program
 * (https://onnx.ai/onnx/operators/onnx__MatMulInteger.html):
 *
 *     weights [rows, width] uint8   activations [width, columns] int8 or uint8   →   sums [rows, columns] int32
 *
 * For many rows of activations, converting a quantized matrix to integers with one scale costs less than multiplying
 * block by block, and integers are multiplied faster than floats: docs/design/products-of-many-rows.md.
 */
export function makeIntegerSegment(activations: "int8" | "uint8"): Segment {
  const zeros = activations === "uint8" ? ["zero", "zero"] : ["zero"];
  const node = makeNode("MatMulInteger", ["weights", "activations", ...zeros], "sums", {});
  const dims = [open, open];
  return makeSegment([node], new Set(node.outputs), {
    ...noWeights,
    opsets: { "": 23 },
    constants: new Map([["zero", inlineWeight({ type: "uint8", dims: [], data: Uint8Array.of(zero) })]]),
    values: new Map([
      ["weights", { type: "uint8", dims }],
      ["activations", { type: activations, dims }],
      ["sums", { type: "int32", dims }],
    ]),
  });
}

/**
 * The rows of one float matrix times those of another; also shared (https://onnx.ai/onnx/operators/onnx__Gemm.html):
 *
 *     left [rows, width] float32   right [columns, width] float32   →   products [rows, columns] float32
 */
export function makeFloatSegment(): Segment {
  const node = makeNode("Gemm", ["left", "right"], "products", { transB: int(1) });
  const matrix = { type: "float32", dims: [open, open] } as const;
  return makeSegment([node], new Set(node.outputs), {
    ...noWeights,
    opsets: { "": 23 },
    constants: new Map(),
    values: new Map([...node.inputs, ...node.outputs].map((name) => [name, matrix])),
  });
}
