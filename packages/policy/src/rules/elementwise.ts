import type { Attribute, ConstantTensor } from "@ringrank/model";
import { type Dim, isOne, sizeOf } from "../factors/factor.js";
import { makeNode } from "../graph/make-node.js";
import type { Linearity, Propagation, Rule } from "./rule.js";

/**
 * Operators that compute each output element from the input elements at the same position, with NumPy's broadcasting
 * (https://onnx.ai/onnx/repo-docs/Broadcasting.html): right-aligned dimensions are the same unless their size is 1.
 */
function elementwise(linearity?: Linearity): Rule {
  return {
    propagate(operator, factors) {
      const shapes = operator.inputs.flatMap((operand, slot) =>
        operand === undefined ? [] : [factors.input(slot)],
      );
      const out = broadcast(shapes, factors);
      return operator.outputs.map(() => out);
    },
    ...(linearity === undefined ? {} : { linearity }),
  };
}

/** The dimensions of several shapes broadcast together. */
export function broadcast(shapes: readonly (readonly Dim[])[], factors: Propagation): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out: Dim[] = [];
  for (let fromEnd = rank; fromEnd > 0; fromEnd--) {
    let dim: Dim = [];
    for (const shape of shapes) {
      const mine = shape[shape.length - fromEnd];
      if (mine === undefined || isOne(sizeOf(mine))) continue;
      if (isOne(sizeOf(dim))) dim = mine;
      else factors.unify(dim, mine);
    }
    out.push(dim);
  }
  return out;
}

/** Linear between floats, up to rounding; but a sum of values truncated to integers is not the truncated sum. */
const cast: Rule = {
  ...elementwise(),
  linearity: ({ inputs, outputs }) =>
    outputs[0]?.type === "float32" && inputs[0]?.type !== "bool" ? { kind: "one", slots: [0] } : undefined,
};

/** Linear in the dividend, except with integers: a sum of quotients is not the quotient of the sum. */
const quotient: Rule = {
  ...elementwise(),
  linearity: ({ outputs }) => (outputs[0]?.type.includes("float") ? { kind: "one", slots: [0] } : undefined),
};

/** Of the second input, only the type matters. */
const castLike: Rule = { propagate: (_operator, factors) => [factors.input(0)] };

const pointwise = elementwise();
const linearInFirst = elementwise({ kind: "one", slots: [0] });
const linearInEither = elementwise({ kind: "one", slots: [0, 1] });
const additive = elementwise({ kind: "sum" });

/**
 * The identity, as in inference, even if an exporter left `training_mode` on: noise would differ between ranks. ONNX
 * Runtime's optimizer removes such nodes as well.
 */
const dropout: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    return operator.outputs.map(() => input);
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const [output, mask] = operator.node.outputs.map((_, slot) => local.output(slot));
    const input = local.input(0);
    const nodes = output ? [makeNode("Identity", [input], output)] : [];
    if (!mask) return nodes;
    const size = local.value();
    const kept: ConstantTensor = { type: "bool", dims: [1], data: Uint8Array.of(1) };
    const value: Attribute = { kind: "tensor", value: kept };
    return [...nodes, makeNode("Shape", [input], size), makeNode("ConstantOfShape", [size], mask, { value })];
  },
};

export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Add: additive,
  Sub: additive,
  Sum: additive,
  Mul: linearInEither,
  Div: quotient,
  Neg: linearInFirst,
  Identity: linearInFirst,
  Dropout: dropout,
  Cast: cast,
  CastLike: castLike,
  ...Object.fromEntries(
    [
      ...[
        "Abs",
        "Ceil",
        "Clip",
        "Cos",
        "Celu",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
      ],
      ...[
        "Log",
        "Mish",
        "PRelu",
        "Pow",
        "Reciprocal",
        "Relu",
        "Round",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Softplus",
      ],
      ...["Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Shrink", "Sinh"],
      ...["BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"],
      ...["Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Swish"],
      ...["Max", "Min", "Mean", "Mod", "BitShift", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"],
      ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Where"],
      ...[
        "com.microsoft::QuickGelu",
        "com.microsoft::FastGelu",
        "com.microsoft::Gelu",
        "com.microsoft::BiasGelu",
      ],
    ].map((operator) => [operator, pointwise]),
  ),
};
