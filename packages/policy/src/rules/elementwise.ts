import { type Dim, isOne, sizeOf } from "../factors/factor.js";
import type { Linearity, Propagation, Rule } from "./rule.js";

/**
 * Operators that compute each output element from the input elements at the same place, with NumPy's broadcasting
 * (https://onnx.ai/onnx/repo-docs/Broadcasting.html): right-aligned dimensions are the same unless their size is 1.
 */
export function elementwise(linearity?: Linearity): Rule {
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

const pointwise = elementwise();
const linearInFirst = elementwise({ kind: "one", slots: [0] });
const linearInEither = elementwise({ kind: "one", slots: [0, 1] });
const additive = elementwise({ kind: "sum" });

export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Add: additive,
  Sub: additive,
  Sum: additive,
  Mul: linearInEither,
  Div: linearInFirst,
  Neg: linearInFirst,
  Identity: linearInFirst,
  ...Object.fromEntries(
    [
      ...[
        "Abs",
        "Ceil",
        "Clip",
        "Cos",
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
      ...["Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Swish"],
      ...["Max", "Min", "Mean", "Mod", "BitShift", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"],
      ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Where", "Cast", "CastLike"],
      ...[
        "com.microsoft::QuickGelu",
        "com.microsoft::FastGelu",
        "com.microsoft::Gelu",
        "com.microsoft::BiasGelu",
      ],
    ].map((operator) => [operator, pointwise]),
  ),
};
