import {
  type Attribute,
  floatAttribute,
  type GraphNode,
  int,
  intAttribute,
  toOnnxDataType,
} from "@ringrank/model";
import { float32Scalar } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import type { Lowering, Maker } from "./lowering.js";

/**
 * Replaces operators on quantized operands by the plain operator between DequantizeLinear and QuantizeLinear, which is
 * what they compute by definition. If nothing is summed over ranks, the runtime fuses them again. Otherwise, the sum is
 * reduced before it is rounded, so that nothing saturates on the way.
 */
interface Form {
  readonly operator: string;
  /** Slot of an input that is not quantized, which the plain operator has before its operands. */
  readonly given?: number;
  /**
   * The first of the three slots (value, scale, zero point) of each operand, and the axis of scales that are given by
   * index.
   */
  readonly operands: readonly (readonly [slot: number, axis: number])[];
  /** Slot of the output's scale; its zero point follows. */
  readonly output: number;
  /** An int32 bias in the scale of the product. */
  readonly bias?: number;
  /** An attribute that the plain operator does not have. */
  readonly dropped?: string | undefined;
}

function lowerTo(formOf: (node: GraphNode) => Form): Lowering {
  return (node, maker) => {
    const { operator, given, operands, output, bias, dropped = "" } = formOf(node);
    const { [dropped]: _, ...attributes } = node.attributes;
    const made: GraphNode[] = [];
    const plain = given === undefined ? [] : [node.inputs[given]!];
    for (const [slot, axis] of operands) {
      const triple = [slot, slot + 1, slot + 2].map((at) => node.inputs[at] ?? "");
      plain.push(dequantized(triple, axis, maker, made));
    }
    if (bias !== undefined && (node.inputs[bias] ?? "") !== "")
      plain.push(dequantizedBias(node, bias, operands, maker, made));
    const [result] = node.outputs as [string];
    const [scale = "", zeroPoint = ""] = node.inputs.slice(output, output + 2);
    if (scale === "") return [...made, makeNode(operator, plain, [result], attributes)];
    const computed = maker.value();
    return [
      ...made,
      makeNode(operator, plain, [computed], attributes),
      makeNode("QuantizeLinear", [computed, scale, zeroPoint], [result]),
    ];
  };
}

function dequantized(triple: readonly string[], axis: number, maker: Maker, made: GraphNode[]): string {
  const name = maker.value();
  made.push(makeNode("DequantizeLinear", triple, [name], scaledAlong(triple, axis, maker)));
  return name;
}

/** A stack of matrices has a stack of scales, `[…, 1, columns]`: one for each block that is a whole column. */
function scaledAlong(
  [value = "", scale = ""]: readonly string[],
  axis: number,
  maker: Maker,
): Readonly<Record<string, Attribute>> {
  const rows = maker.dims(value)?.at(-2);
  if ((maker.dims(scale)?.length ?? 0) < 2 || rows === undefined) return { axis: int(axis) };
  return { axis: int(-2), block_size: int(rows) };
}

/** Quantized with the product of the operands' scales, times alpha if there is one. */
function dequantizedBias(
  node: GraphNode,
  slot: number,
  operands: Form["operands"],
  maker: Maker,
  made: GraphNode[],
): string {
  const { inputs } = node;
  let scale = maker.value();
  made.push(
    makeNode(
      "Mul",
      operands.map(([at]) => inputs[at + 1]!),
      [scale],
    ),
  );
  const alpha = floatAttribute(node, "alpha", 1);
  if (alpha !== 1) {
    const factor = maker.constant(float32Scalar(alpha));
    const scaled = maker.value();
    made.push(makeNode("Mul", [scale, factor], [scaled]));
    scale = scaled;
  }
  const plain = maker.value();
  const isPerColumn = operands.some(([at]) => (maker.dims(inputs[at + 1]!) ?? [1]).some((size) => size > 1));
  if (isPerColumn) {
    // An int32 vector with as many scales: a product, since DequantizeLinear only accepts an axis of several.
    const cast = maker.value();
    made.push(makeNode("Cast", [inputs[slot]!], [cast], { to: int(toOnnxDataType("float32")) }));
    made.push(makeNode("Mul", [cast, scale], [plain]));
  } else made.push(makeNode("DequantizeLinear", [inputs[slot]!, scale], [plain]));
  return plain;
}

/** `(A, B, y)`, both with their own scale. */
function binary(operator: string, axes: readonly [number, number] = [0, 0]): Lowering {
  return lowerTo(() => ({
    operator,
    operands: [
      [0, axes[0]],
      [3, axes[1]],
    ],
    output: 6,
  }));
}

function unary(operator: string, dropped?: string): Lowering {
  return lowerTo(() => ({ operator, operands: [[0, 0]], output: 3, dropped }));
}

/** Images with channels last, which only the runtime's own optimizer writes, have no plain operator. */
function pool(operator: string): Lowering {
  const lowering = unary(operator, "channels_last");
  return (node, maker) => (intAttribute(node, "channels_last", 0) === 0 ? lowering(node, maker) : undefined);
}

const softmaxAlongAxis = unary("Softmax", "opset");

/** com.microsoft.QLinearSoftmax: of `opset` below 13 all axes from `axis` on are one, as in ONNX's Softmax then. */
const softmax: Lowering = (node, maker) => {
  if (intAttribute(node, "opset", 13) >= 13) return softmaxAlongAxis(node, maker);
  const [value, ...scales] = node.inputs as [string, ...string[]];
  const [flat, computed, shape] = [maker.value(), maker.value(), maker.value()];
  const ofRows = { ...node, inputs: [flat, ...scales], outputs: [computed], attributes: { axis: int(-1) } };
  return [
    makeNode("Flatten", [value], [flat], { axis: int(intAttribute(node, "axis", -1)) }),
    ...softmaxAlongAxis(ofRows, maker)!,
    makeNode("Shape", [value], [shape]),
    makeNode("Reshape", [computed, shape], node.outputs),
  ];
};

/** com.microsoft.QGemm (A, B, C, y): without a scale of y its result is float. */
const gemm = lowerTo((node) => ({
  operator: "Gemm",
  operands: [
    [0, 0],
    [3, intAttribute(node, "transB", 0) === 0 ? 1 : 0],
  ],
  output: 7,
  bias: 6,
}));

const conv = lowerTo(() => ({
  operator: "Conv",
  operands: [
    [0, 0],
    [3, 0],
  ],
  output: 6,
  bias: 8,
}));

/** com.microsoft.QLinearConcat: the output's scale and zero point, then three inputs for every operand. */
const concat = lowerTo(({ inputs }) => ({
  operator: "Concat",
  operands: Array.from(
    { length: Math.floor((inputs.length - 2) / 3) },
    (_, index) => [2 + 3 * index, 0] as const,
  ),
  output: 0,
}));

/** com.microsoft.QLinearWhere (condition, X, Y, z). */
const where = lowerTo(() => ({
  operator: "Where",
  given: 0,
  operands: [
    [1, 0],
    [4, 0],
  ],
  output: 7,
}));

export const quantizedOperators: Readonly<Record<string, Lowering>> = {
  QLinearMatMul: binary("MatMul", [-2, -1]),
  QLinearConv: conv,
  "com.microsoft::QGemm": gemm,
  "com.microsoft::QLinearAdd": binary("Add"),
  "com.microsoft::QLinearMul": binary("Mul"),
  "com.microsoft::QLinearConcat": concat,
  "com.microsoft::QLinearSigmoid": unary("Sigmoid"),
  "com.microsoft::QLinearLeakyRelu": unary("LeakyRelu"),
  "com.microsoft::QLinearAveragePool": pool("AveragePool"),
  "com.microsoft::QLinearGlobalAveragePool": pool("GlobalAveragePool"),
  "com.microsoft::QLinearSoftmax": softmax,
  "com.microsoft::QLinearWhere": where,
};
