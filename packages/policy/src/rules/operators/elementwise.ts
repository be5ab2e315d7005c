import type { Attribute, ConstantTensor } from "@ringrank/model";
import { makeNode } from "../../graph/make-node.js";
import { broadcast } from "../broadcast.js";
import type { Linearity, Rule, Rules } from "../rule.js";

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

export const elementwiseRules: Rules = {
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
      ...["Abs", "Sign", "Ceil", "Floor", "Round", "Clip", "Reciprocal", "Sqrt", "Pow", "Exp", "Log", "Erf"],
      ...["Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh"],
      ...["Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Celu", "Selu", "Gelu", "Shrink"],
      ...["Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Mish", "Softplus", "Softsign"],
      ...[
        "com.microsoft::Gelu",
        "com.microsoft::FastGelu",
        "com.microsoft::QuickGelu",
        "com.microsoft::BiasGelu",
      ],
      ...["Max", "Min", "Mean", "Mod", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"],
      ...["BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"],
      ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Where"],
    ].map((operator) => [operator, pointwise]),
  ),
};
