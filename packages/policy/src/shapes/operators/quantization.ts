import type { ShapeRule, ShapeRules } from "../node-context.js";
import { typeAttribute } from "../type-attribute.js";

/** The type of the zero point, else `output_dtype`, else uint8. */
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

/** Conversions between real numbers and integers with a scale. */
export const quantizationRules: ShapeRules = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  "com.microsoft.QuantizeLinear": quantize,
  "com.microsoft.DequantizeLinear": dequantize,
};
