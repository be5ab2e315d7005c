import { makeNode } from "../graph/make-node.js";
import type { Lowering } from "./lowering.js";

/**
 * DynamicQuantizeLinear (https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html) rounds by the range of the
 * whole tensor. A range is a maximum, so ranks with shares of the tensor find it together, in one small all-reduce, and
 * round exactly as one session would.
 */
const dynamicQuantizeLinear: Lowering = ({ inputs, outputs, attributes }, maker) => {
  const range = maker.value();
  const [x] = inputs as [string];
  return [
    makeNode("ringrank::ValueRange", [x], range, attributes),
    makeNode("ringrank::QuantizeInRange", [x, range], outputs, attributes),
  ];
};

/**
 * com.microsoft.DynamicQuantizeMatMul (A, B, b_scale, b_zero_point, bias): both operators together, as it is defined.
 */
const dynamicQuantizeMatMul: Lowering = ({ inputs, outputs }, maker) => {
  const [a = "", b = "", scale = "", zeroPoint = "", bias = ""] = inputs;
  const [rounded, aScale, aZeroPoint] = [maker.value(), maker.value(), maker.value()];
  const quantized = makeNode("DynamicQuantizeLinear", [a], [rounded, aScale, aZeroPoint]);
  return [
    ...dynamicQuantizeLinear(quantized, maker)!,
    makeNode(
      "com.microsoft::MatMulIntegerToFloat",
      [rounded, b, aScale, scale, aZeroPoint, zeroPoint, bias],
      outputs,
    ),
  ];
};

export const dynamicQuantization: Readonly<Record<string, Lowering>> = {
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  "com.microsoft::DynamicQuantizeMatMul": dynamicQuantizeMatMul,
};
