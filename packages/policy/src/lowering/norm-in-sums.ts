import {
  type Attribute,
  floatAttribute,
  type GraphNode,
  int,
  intAttribute,
  toOnnxDataType,
} from "@ringrank/model";
import { float32Scalar, int64Tensor } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import { operatorName } from "../graph/operator-name.js";
import { subtractsMean } from "../graph/row-norms.js";
import type { Maker } from "./lowering.js";

/**
 * Normalizing the rows of a value, or taking their means, in terms of sums over a row. Ranks that share a row have
 * partial sums of it, which are one number per row.
 *
 *     RMSNormalization      x / √(Σx²·1/n + ε) · scale
 *     LayerNormalization    d / √(Σd²·1/n + ε) · scale + bias,   d = x − Σx·1/n
 *     ReduceMean            Σx·1/n
 */
export interface RowNorm {
  readonly node: GraphNode;
  /** n: the number of elements of a row. */
  readonly width: number;
  readonly type: "float32" | "float16";
}

/** Whether a node is one, according to its operator, attributes and outputs. */
export function isRowNorm(node: GraphNode): boolean {
  const name = operatorName(node);
  if (name === "ReduceMean") return true;
  return subtractsMean.has(name) && node.outputs.slice(1).every((output) => output === "");
}

export function inSums({ node, width, type }: RowNorm, maker: Maker): readonly GraphNode[] {
  const made: GraphNode[] = [];
  const make = (
    operator: string,
    inputs: readonly string[],
    output = maker.value(),
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string => {
    made.push(makeNode(operator, inputs, output, attributes));
    return output;
  };
  const number = (value: number): string => maker.constant(float32Scalar(value));
  const last = maker.constant(int64Tensor([-1]));
  /** Sums are float32, because float16 may be too small for them. */
  const cast = (value: string, to: "float32" | "float16", output?: string): string =>
    make("Cast", [value], output, { to: int(toOnnxDataType(to)) });
  const mean = (operator: "ReduceSum" | "ReduceSumSquare", value: string, output?: string): string =>
    make("Mul", [make(operator, [value, last]), number(1 / width)], output);

  const [x, scale, bias = ""] = node.inputs as [string, string, string?];
  const [y] = node.outputs as [string];
  const isHalf = type === "float16";
  const given = isHalf ? cast(x, "float32") : x;
  const name = operatorName(node);
  if (name === "ReduceMean") {
    const isKept = intAttribute(node, "keepdims", 1) !== 0;
    const kept = mean("ReduceSum", given, isKept && !isHalf ? y : undefined);
    const squeezed = isKept ? kept : make("Squeeze", [kept, last], isHalf ? undefined : y);
    if (isHalf) cast(squeezed, "float16", y);
    return made;
  }
  const centered = subtractsMean.get(name) ? make("Sub", [given, mean("ReduceSum", given)]) : given;
  const epsilon = number(floatAttribute(node, "epsilon", 1e-5));
  const deviation = make("Sqrt", [make("Add", [mean("ReduceSumSquare", centered), epsilon])]);
  const normed = make("Div", [centered, deviation]);
  const scaled = [isHalf ? cast(normed, "float16") : normed, scale];
  if (bias === "") make("Mul", scaled, y);
  else make("Add", [make("Mul", scaled), bias], y);
  return made;
}
