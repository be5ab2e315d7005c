import { intAttribute } from "../graph/attributes.js";
import { type Graph, type GraphNode, interfaceNames } from "../graph/index.js";
import { constantOf, producersOf } from "./edit.js";

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
 * How many positions a graph has rows for, in the tables that it looks `position_ids` up in: of position embeddings, of
 * rotary angles. Undefined where it looks them up in none.
 */
export function positionsInTables(graph: Graph): number | undefined {
  const producers = producersOf(graph.nodes);
  /** By value: what it has for position 0, where each position has one more than the last. */
  const first = new Map<string, number>([[interfaceNames.positionIds, 0]]);
  let least = Number.POSITIVE_INFINITY;
  for (const node of graph.nodes) {
    const offset = first.get(node.inputs[0] ?? "");
    if (sameElements.has(node.opType) && offset !== undefined) first.set(node.outputs[0]!, offset);
    const moved = node.opType === "Add" ? sum(node) : undefined;
    if (moved !== undefined) first.set(node.outputs[0]!, moved);
    const [indices, table] = lookUp(node);
    const [start, rows] = [first.get(indices ?? ""), graph.weights.get(table ?? "")?.dims[0]];
    if (start !== undefined && rows !== undefined) least = Math.min(least, rows - start);
  }
  return least === Number.POSITIVE_INFINITY ? undefined : Math.max(0, least);

  /** Of positions and a constant, as of those who keep two rows for padding. */
  function sum({ inputs: [a = "", b = ""] }: GraphNode): number | undefined {
    const [positions, other] = first.has(a) ? [first.get(a), b] : [first.get(b), a];
    const elements = constantOf(other, graph, producers);
    return positions !== undefined && elements?.length === 1 ? positions + elements[0]! : undefined;
  }
}

/** What a node looks up, and in which table; neither where it looks nothing up. */
function lookUp(node: GraphNode): readonly (string | undefined)[] {
  const { opType, domain, inputs } = node;
  switch (opType) {
    case "Gather":
      return intAttribute(node, "axis", 0) === 0 ? [inputs[1], inputs[0]] : [];
    case "RotaryEmbedding":
      return domain === "" ? [inputs[3], inputs[1]] : [inputs[1], inputs[2]];
    default:
      return [];
  }
}
