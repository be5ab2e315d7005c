import type { Attribute, ConstantTensor, Graph, GraphNode, Weight } from "@ringrank/model";
import { inlineWeight, int64Tensor } from "../graph/constants.js";

/**
 * Converts `Constant` nodes to constants of the graph, so that each of their uses has its own factors, and a rank can
 * hold only the part it needs, as with any weight.
 */
export function hoistConstants(graph: Graph): Graph {
  const weights = new Map<string, Weight>(graph.weights);
  const nodes = graph.nodes.filter((node) => {
    const constant = node.opType === "Constant" && node.domain === "" ? constantOf(node) : undefined;
    if (constant === undefined) return true;
    weights.set(node.outputs[0]!, inlineWeight(constant));
    return false;
  });
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, weights };
}

function constantOf({ attributes }: GraphNode): ConstantTensor | undefined {
  const { value, value_int, value_ints, value_float, value_floats } = attributes;
  if (value?.kind === "tensor") return value.value;
  return (
    numbers(value_int, "int", []) ??
    numbers(value_ints, "ints") ??
    numbers(value_float, "float", []) ??
    numbers(value_floats, "floats")
  );
}

function numbers(
  attribute: Attribute | undefined,
  kind: "int" | "ints" | "float" | "floats",
  dims?: readonly number[],
): ConstantTensor | undefined {
  if (attribute?.kind !== kind) return undefined;
  const values =
    typeof attribute.value === "number" ? [attribute.value] : (attribute.value as readonly number[]);
  const shape = dims ?? [values.length];
  return kind === "int" || kind === "ints"
    ? int64Tensor(values, shape)
    : { type: "float32", dims: shape, data: Float32Array.from(values) };
}
