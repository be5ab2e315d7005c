import { intAttribute } from "../graph/attributes.js";
import type { Graph, GraphNode } from "../graph/index.js";
import { constantOf, producersOf } from "./producers.js";

/** Operators whose output has the elements of their first input, in some shape and type. */
const sameElements: ReadonlySet<string> = new Set([
  "Cast",
  "Expand",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
]);

/**
 * How many rows a graph has for the values of an input, in the tables in which it looks them up: position embeddings,
 * rotary angles, token types. Values must be below this. Undefined if it looks them up in no table.
 *
 * @param input its name, such as `position_ids`
 */
export function rowsLookedUp(graph: Graph, input: string): number | undefined {
  const producers = producersOf(graph.nodes);
  /** By value: the row for the input 0. The row of any other input is later by that input's value. */
  const first = new Map<string, number>([[input, 0]]);
  let least = Number.POSITIVE_INFINITY;
  for (const node of graph.nodes) {
    const offset = first.get(node.inputs[0] ?? "");
    if (sameElements.has(node.opType) && offset !== undefined) first.set(node.outputs[0]!, offset);
    const moved = node.opType === "Add" ? sum(node) : undefined;
    if (moved !== undefined) first.set(node.outputs[0]!, moved);
    const [indices, table] = lookUp(node);
    const [start, rows] = [first.get(indices ?? ""), rowsOf(table)];
    if (start !== undefined && rows !== undefined) least = Math.min(least, rows - start);
  }
  return least === Number.POSITIVE_INFINITY ? undefined : Math.max(0, least);

  /** Also of a quantized table. */
  function rowsOf(table = ""): number | undefined {
    const producer = producers.get(table);
    const held = producer?.opType === "DequantizeLinear" ? producer.inputs[0]! : table;
    return graph.weights.get(held)?.dims[0];
  }

  /** A sum of values and a constant, such as positions if two rows are reserved for padding. */
  function sum({ inputs: [a = "", b = ""] }: GraphNode): number | undefined {
    const [values, other] = first.has(a) ? [first.get(a), b] : [first.get(b), a];
    const elements = constantOf(other, graph, producers);
    return values !== undefined && elements?.length === 1 ? values + elements[0]! : undefined;
  }
}

/** What a node looks up, and in which table; both undefined if it looks nothing up. */
function lookUp(node: GraphNode): readonly (string | undefined)[] {
  const { opType, domain, inputs } = node;
  switch (opType) {
    case "Gather":
      return intAttribute(node, "axis", 0) === 0 ? [inputs[1], inputs[0]] : [];
    case "GatherBlockQuantized":
      return intAttribute(node, "gather_axis", 0) === 0 ? [inputs[1], inputs[0]] : [];
    case "RotaryEmbedding":
      return domain === "" ? [inputs[3], inputs[1]] : [inputs[1], inputs[2]];
    default:
      return [];
  }
}
