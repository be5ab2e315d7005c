import type { Attribute, DataType, Graph, GraphNode, ValueInfo, Weight } from "@ringrank/model";
import { makeNode } from "../../graph/make-node.js";
import type { Evaluated } from "../evaluated.js";
import { inlineWeight } from "./inline-weight.js";

interface GraphParts {
  /** `x float32[batch,3]`. */
  readonly inputs?: readonly string[];
  readonly constants?: Readonly<Record<string, Evaluated>>;
  readonly nodes?: readonly GraphNode[];
}

/** A graph, written with one line per part. */
export function graphOf({ inputs = [], constants = {}, nodes = [] }: GraphParts): Graph {
  return {
    opsets: { "": 23 },
    inputs: inputs.map(parseInput),
    outputs: [],
    nodes,
    weights: new Map<string, Weight>(
      Object.entries(constants).map(([name, value]) => [name, inlineWeight(value)]),
    ),
    caches: [],
  };
}

/** An attribute, or its value: `0` is an int, `[0]` is ints. */
export type AttributeText = number | readonly number[] | string | Attribute;

/** A node with an operator such as `Add` or `com.microsoft::FusedMatMul`. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeText>> = {},
): GraphNode {
  const typed = Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]);
  return makeNode(operator, inputs, outputs, Object.fromEntries(typed));
}

function parseInput(text: string): ValueInfo {
  const [, name = "", type = "", dims = ""] = /^(\S+) (\w+)\[(.*)\]$/.exec(text) ?? [];
  const sizes = dims === "" ? [] : dims.split(",");
  return { name, type: type as DataType, dims: sizes.map((dim) => (/^\d+$/.test(dim) ? Number(dim) : dim)) };
}

function toAttribute(value: AttributeText): Attribute {
  if (typeof value === "number") return { kind: "int", value };
  if (typeof value === "string") return { kind: "string", value };
  return "kind" in value ? value : { kind: "ints", value };
}
