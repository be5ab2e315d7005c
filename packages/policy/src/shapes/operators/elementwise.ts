import { type Evaluated, hasContents } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { toElement } from "../numbers.js";
import { typeAttribute } from "../type-attribute.js";

/** The shape and type of the first input; contents are not propagated. */
export const sameAsInput: ShapeRule = (node) => [{ type: node.type(0), dims: node.dims(0) }];

const predicate: ShapeRule = (node) => [{ type: "bool", dims: node.dims(0) }];

function unary(of: (x: number) => number): ShapeRule {
  return (node) => {
    const { type, dims, contents } = node.input(0);
    return [{ type, dims, contents: contents?.map((x) => toElement(type, of(x))) }];
  };
}

function cast(node: NodeContext, type: Evaluated["type"]): readonly Evaluated[] {
  const { dims, contents } = node.input(0);
  return [
    { type, dims, contents: hasContents(type, dims) ? contents?.map((x) => toElement(type, x)) : undefined },
  ];
}

const dropout: ShapeRule = (node) => [node.input(0), { type: "bool", dims: node.dims(0) }];

/** Bounds are inputs since opset 11; contents are propagated only then. */
const clip: ShapeRule = (node) => {
  const { type, dims, contents } = node.input(0);
  const bounds = [node.optional(1), node.optional(2)];
  const known =
    contents !== undefined &&
    node.attribute("min") === undefined &&
    node.attribute("max") === undefined &&
    bounds.every((bound) => bound === undefined || bound.contents !== undefined);
  if (!known) return [{ type, dims }];
  const [min, max] = [bounds[0]?.contents?.[0] ?? -Infinity, bounds[1]?.contents?.[0] ?? Infinity];
  return [{ type, dims, contents: contents.map((x) => Math.min(Math.max(x, min), max)) }];
};

/** Rounds halves to even (https://onnx.ai/onnx/operators/onnx__Round.html). */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * Unary elementwise operators. Contents are not propagated through transcendental functions, since kernels differ in
 * the last bit.
 */
export const elementwiseRules: ShapeRules = {
  Abs: unary(Math.abs),
  Neg: unary((x) => -x),
  Sign: unary(Math.sign),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundHalfEven),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Not: unary((x) => (x === 0 ? 1 : 0)),
  BitwiseNot: unary((x) => -x - 1),
  Relu: unary((x) => Math.max(x, 0)),
  Clip: clip,
  Cast: (node) => cast(node, typeAttribute(node, "to")),
  CastLike: (node) => cast(node, node.type(1)),
  Identity: (node) => [node.input(0)],
  Dropout: dropout,
  IsNaN: predicate,
  IsInf: predicate,
  ...sameShape([
    ...["Exp", "Log", "Erf", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan"],
    ...["Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh"],
    ...["Sigmoid", "HardSigmoid", "Softplus", "Softsign", "HardSwish", "Mish", "Swish"],
    ...["Elu", "Celu", "Selu", "LeakyRelu", "ThresholdedRelu", "Shrink", "Gelu"],
    ...[
      "com.microsoft::Gelu",
      "com.microsoft::FastGelu",
      "com.microsoft::BiasGelu",
      "com.microsoft::QuickGelu",
    ],
  ]),
};

function sameShape(operators: readonly string[]): ShapeRules {
  return Object.fromEntries(operators.map((operator) => [operator, sameAsInput]));
}
