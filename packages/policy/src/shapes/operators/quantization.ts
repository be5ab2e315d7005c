import type { ShapeRule, ShapeRules } from "../node-context.js";
import { typeAttribute } from "../type-attribute.js";

/** In the type of the zero point, else of `output_dtype`, else uint8. */
const quantize: ShapeRule = (node) => [
  { type: node.optional(2)?.type ?? typeAttribute(node, "output_dtype", "uint8"), dims: node.dims(0) },
];

const dequantize: ShapeRule = (node) => [
  { type: typeAttribute(node, "output_dtype", node.type(1)), dims: node.dims(0) },
];

const dynamicQuantize: ShapeRule = (node) => [
  { type: "uint8", dims: node.dims(0) },
  { type: "float32", dims: [] },
  { type: "uint8", dims: [] },
];

/** `[largest, −smallest]`, for an all-reduce by maximum. */
const valueRange: ShapeRule = (node) => [{ type: node.type(0), dims: [2] }];

/** Rows of a table of integers, dequantized. */
const dequantizedLookup: ShapeRule = (node) => [
  { type: node.type(2), dims: [...node.dims(1), ...node.dims(0).slice(1)] },
];

/** Quantization and dequantization with a scale. */
export const quantizationRules: ShapeRules = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  "ringrank::ValueRange": valueRange,
  "ringrank::QuantizeInRange": dynamicQuantize,
  "ringrank::DequantizedLookup": dequantizedLookup,
  "com.microsoft::QuantizeLinear": quantize,
  "com.microsoft::DequantizeLinear": dequantize,
};
