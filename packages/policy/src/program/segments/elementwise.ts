import { floatAttribute, type GraphNode, stringAttribute, type Weight } from "@ringrank/model";
import { operatorName } from "../../graph/operator-name.js";
import type { LocalValues } from "../local/local-values.js";
import type { Segment } from "../program.js";
import type {
  Elementwise,
  ElementwiseInstruction,
  ElementwiseOperand,
  ElementwiseOperation,
} from "../segment-work.js";

/**
 * What a segment computes, if all of its nodes work element by element on float32 values of equal shape and on scalar
 * constants: the form in which exporters and architectures write activations.
 *
 * @returns undefined if any node does something else
 */
export function describeElementwise(
  nodes: readonly GraphNode[],
  { inputs, outputs }: Pick<Segment, "inputs" | "outputs">,
  constants: ReadonlyMap<string, Weight>,
  values: LocalValues,
): Elementwise | undefined {
  const made = nodes.flatMap((node) => node.outputs);
  if (nodes.some((node) => !expansions.has(operatorName(node)))) return undefined;
  if (!areAlike([...inputs, ...made], values)) return undefined;

  const steps = new Instructions(inputs.length);
  const operands = new Map<string, ElementwiseOperand>(inputs.map((name, value) => [name, { value }]));
  const rank = values.get(inputs[0] ?? "")?.dims.length ?? 0;
  for (const [name, weight] of constants) {
    const constant = scalarOf(weight, rank);
    if (constant !== undefined) operands.set(name, { constant });
  }
  for (const node of nodes) {
    const read = node.inputs.map((name) => operands.get(name));
    const result = expansions.get(operatorName(node))!(steps, read, node);
    if (result === undefined) return undefined;
    operands.set(node.outputs[0]!, result);
  }
  const results = outputs.map((name) => operands.get(name)!);
  const own = new Set(
    results.flatMap((one) => ("value" in one && one.value >= inputs.length ? one.value : [])),
  );
  return own.size === outputs.length ? { instructions: steps.all, outputs: [...own] } : undefined;
}

/** Whether values are float32 and have the same shape. */
function areAlike(names: readonly string[], values: LocalValues): boolean {
  const shapes = names.map((name) => {
    const value = values.get(name);
    return value?.type === "float32" ? JSON.stringify(value.dims) : undefined;
  });
  return shapes[0] !== undefined && shapes.every((shape) => shape === shapes[0]);
}

/** The number of a scalar constant, whose broadcast does not enlarge a shape. */
function scalarOf({ dims, source }: Weight, rank: number): number | undefined {
  const isScalar = source.kind === "inline" && source.data.length === 1 && dims.length <= rank;
  return isScalar ? Number(source.data[0]) : undefined;
}

/** A growing list of instructions, into which operators are expanded. */
class Instructions {
  readonly all: ElementwiseInstruction[] = [];
  readonly #inputs: number;

  constructor(inputs: number) {
    this.#inputs = inputs;
  }

  /** @returns its result */
  add(operation: ElementwiseOperation, ...operands: (ElementwiseOperand | number)[]): ElementwiseOperand {
    const all = operands.map((one) => (typeof one === "number" ? { constant: one } : one));
    this.all.push({ operation, operands: all });
    return { value: this.#inputs + this.all.length - 1 };
  }
}

/** @returns the node's value; undefined if there are no instructions for its form */
type Expansion = (
  steps: Instructions,
  operands: readonly (ElementwiseOperand | undefined)[],
  node: GraphNode,
) => ElementwiseOperand | undefined;

/** By operator; https://onnx.ai/onnx/operators defines the functions. */
const expansions: ReadonlyMap<string, Expansion> = new Map([
  ["Add", ofTwo((steps, x, y) => steps.add("add", x, y))],
  ["Sub", ofTwo((steps, x, y) => steps.add("subtract", x, y))],
  ["Mul", ofTwo((steps, x, y) => steps.add("multiply", x, y))],
  ["Div", ofTwo((steps, x, y) => steps.add("divide", x, y))],
  ["Min", ofTwo((steps, x, y) => steps.add("minimum", x, y))],
  ["Max", ofTwo((steps, x, y) => steps.add("maximum", x, y))],
  ["Pow", ofTwo(power)],
  ["Identity", ofOne((_, x) => x)],
  ["Neg", ofOne((steps, x) => steps.add("multiply", x, -1))],
  ["Relu", ofOne((steps, x) => steps.add("maximum", x, 0))],
  ["Sqrt", ofOne((steps, x) => steps.add("sqrt", x))],
  ["Exp", ofOne((steps, x) => steps.add("exp", x))],
  ["Sigmoid", ofOne((steps, x) => steps.add("sigmoid", x))],
  ["Tanh", ofOne((steps, x) => steps.add("tanh", x))],
  ["Erf", ofOne((steps, x) => steps.add("erf", x))],
  ["Clip", clip],
  [
    "Gelu",
    ofOne((steps, x, node) =>
      (stringAttribute(node, "approximate", "none") === "tanh" ? tanhGelu : gelu)(steps, x),
    ),
  ],
  ["com.microsoft::Gelu", ofOne(gelu)],
  ["com.microsoft::FastGelu", ofOne(tanhGelu)],
  ["com.microsoft::QuickGelu", ofOne(quickGelu)],
]);

function ofOne(
  expand: (steps: Instructions, x: ElementwiseOperand, node: GraphNode) => ElementwiseOperand,
): Expansion {
  return (steps, [x, ...others], node) =>
    x === undefined || others.length > 0 ? undefined : expand(steps, x, node);
}

function ofTwo(
  expand: (
    steps: Instructions,
    x: ElementwiseOperand,
    y: ElementwiseOperand,
  ) => ElementwiseOperand | undefined,
): Expansion {
  return (steps, [x, y, ...others]) =>
    x === undefined || y === undefined || others.length > 0 ? undefined : expand(steps, x, y);
}

/** Squares and cubes. */
function power(
  steps: Instructions,
  x: ElementwiseOperand,
  exponent: ElementwiseOperand,
): ElementwiseOperand | undefined {
  if (!("constant" in exponent) || ![2, 3].includes(exponent.constant)) return undefined;
  const square = steps.add("multiply", x, x);
  return exponent.constant === 2 ? square : steps.add("multiply", square, x);
}

/** Bounds are inputs, and either may be omitted; before version 11 of the operator, they were attributes. */
function clip(
  steps: Instructions,
  [x, ...bounds]: readonly (ElementwiseOperand | undefined)[],
  node: GraphNode,
): ElementwiseOperand | undefined {
  if (x === undefined || bounds.some((bound, at) => bound === undefined && node.inputs[at + 1] !== ""))
    return undefined;
  const least = bounds[0] ?? floatAttribute(node, "min", Number.NEGATIVE_INFINITY);
  const most = bounds[1] ?? floatAttribute(node, "max", Number.POSITIVE_INFINITY);
  const raised = least === Number.NEGATIVE_INFINITY ? x : steps.add("maximum", x, least);
  return most === Number.POSITIVE_INFINITY ? raised : steps.add("minimum", raised, most);
}

/** `x · Φ(x)`. */
function gelu(steps: Instructions, x: ElementwiseOperand): ElementwiseOperand {
  const erf = steps.add("erf", steps.add("multiply", x, Math.SQRT1_2));
  return steps.add("multiply", steps.add("multiply", x, 0.5), steps.add("add", erf, 1));
}

/** `x · Φ(x)`, approximately: https://arxiv.org/abs/1606.08415. `½ (1 + tanh(y))` is `σ(2y)`, which is cheaper. */
function tanhGelu(steps: Instructions, x: ElementwiseOperand): ElementwiseOperand {
  const square = steps.add("multiply", x, x);
  const factor = steps.add("add", steps.add("multiply", square, 0.044715), 1);
  const scaled = steps.add("multiply", steps.add("multiply", x, Math.sqrt(8 / Math.PI)), factor);
  return steps.add("multiply", x, steps.add("sigmoid", scaled));
}

/** `x · σ(αx)`; SiLU if α is 1. */
function quickGelu(steps: Instructions, x: ElementwiseOperand, node: GraphNode): ElementwiseOperand {
  const alpha = floatAttribute(node, "alpha", 1.702);
  const scaled = alpha === 1 ? x : steps.add("multiply", x, alpha);
  return steps.add("multiply", x, steps.add("sigmoid", scaled));
}
