import { type Attribute, type ConstantTensor, type GraphNode, toInt64 } from "@ringrank/model";
import type { Localization, Operator } from "./rule.js";

/** A default-domain node with one output. */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  return { opType, domain: "", inputs, outputs: [output], attributes };
}

/** The same node on this rank's share of its operands, with some attributes changed. */
export function onShare(
  { node }: Operator,
  local: Localization,
  changed: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  return {
    ...node,
    inputs: node.inputs.map((_, slot) => local.input(slot)),
    outputs: node.outputs.map((_, slot) => local.output(slot)),
    attributes: { ...node.attributes, ...changed },
  };
}

/** An int64 constant; see {@link toInt64}. */
export function int64Tensor(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): ConstantTensor {
  return { type: "int64", dims, data: BigInt64Array.from(values, toInt64) };
}

/** An axis counted from the end, as a plain index. */
export function normalizeAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
