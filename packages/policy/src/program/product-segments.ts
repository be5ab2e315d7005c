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
 * block by block, and whole numbers are multiplied faster than floats: docs/design-notes.md.
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
 * Rows of floats times those of a matrix, likewise (https://onnx.ai/onnx/operators/onnx__Gemm.html):
 *
 *     activations [rows, width] float32   weights [columns, width] float32   →   products [rows, columns] float32
 *
 * @param isBiased whether it adds a row to each, a third input
 */
export function makeFloatSegment(isBiased: boolean): Segment {
  const inputs = ["activations", "weights", ...(isBiased ? ["bias"] : [])];
  const node = makeNode("Gemm", inputs, "products", { transB: { kind: "int", value: 1 } });
  const open: SizePair = [1, 2];
  const floats = (...dims: readonly SizePair[]) => ({ type: "float32", dims }) as const;
  return makeSegment([node], new Set(node.outputs), {
    opsets: { "": 23 },
    shards: new Map(),
    constants: new Map(),
    values: new Map([
      ["activations", floats(open, open)],
      ["weights", floats(open, open)],
      ["bias", floats(open)],
      ["products", floats(open, open)],
    ]),
    uses: new Map(),
  });
}
