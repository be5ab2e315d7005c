import { type Attribute, float, type GraphNode, stringAttribute } from "@ringrank/model";
import { float32Scalar } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import type { Lowering, Maker } from "./lowering.js";

/**
 * com.microsoft.FusedConv (X, W, B, addend) and com.microsoft.FusedGemm (A, B, C), which ONNX Runtime's optimizer
 * writes: a convolution or a product, followed by an activation. Once separated, a sum over ranks is reduced in
 * between.
 */
const fusedConv: Lowering = (node, maker) => {
  const { inputs, outputs, attributes } = node;
  const { activation: _, activation_params: given, ...plain } = attributes;
  const parameters = given?.kind === "floats" ? given.value : [];
  const [x = "", weight = "", bias = "", added = ""] = inputs;
  const [y] = outputs as [string];
  const [convolved, sum] = [maker.value(), maker.value()];
  const activated = activate(node, parameters, added === "" ? convolved : sum, y, maker);
  if (activated === undefined) return undefined;
  const conv = makeNode("Conv", [x, weight, bias], [convolved], plain);
  return added === ""
    ? [conv, ...activated]
    : [conv, makeNode("Add", [convolved, added], [sum]), ...activated];
};

const fusedGemm: Lowering = (node, maker) => {
  const {
    activation: _,
    activation_alpha: alpha,
    activation_beta: beta,
    activation_gamma: __,
    ...plain
  } = node.attributes;
  const parameters = [alpha, beta].flatMap((one) => (one?.kind === "float" ? [one.value] : []));
  const product = maker.value();
  const activated = activate(node, parameters, product, node.outputs[0]!, maker);
  return activated && [makeNode("Gemm", node.inputs, [product], plain), ...activated];
};

/** Undefined for an activation with another name. */
function activate(
  fused: GraphNode,
  parameters: readonly number[],
  x: string,
  y: string,
  maker: Maker,
): GraphNode[] | undefined {
  const name = stringAttribute(fused, "activation", "");
  const number = (value: number): string => maker.constant(float32Scalar(value));
  const floats = (...names: readonly string[]): Record<string, Attribute> =>
    Object.fromEntries(
      names.flatMap((name, at) => (parameters[at] === undefined ? [] : [[name, float(parameters[at])]])),
    );
  const [first, second] = parameters;
  switch (name) {
    case "Relu":
    case "Sigmoid":
    case "Tanh":
    case "HardSwish":
      return [makeNode(name, [x], [y])];
    case "LeakyRelu":
      return [makeNode(name, [x], [y], floats("alpha"))];
    case "HardSigmoid":
      return [makeNode(name, [x], [y], floats("alpha", "beta"))];
    case "Clip":
      return first === undefined || second === undefined
        ? undefined
        : [makeNode(name, [x, number(first), number(second)], [y])];
    default:
      return undefined;
  }
}

export const fusedActivations: Readonly<Record<string, Lowering>> = {
  "com.microsoft::FusedConv": fusedConv,
  "com.microsoft::FusedGemm": fusedGemm,
};
