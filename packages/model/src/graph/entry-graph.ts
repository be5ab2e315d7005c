import { RingrankError } from "@ringrank/errors";
import type { Graph, RecurrentState } from "./graph.js";
import { withoutUnread } from "./without-unread.js";

/**
 * What an entry of a graph runs, as a separate graph: the nodes that its outputs need, and their weights. A cache that
 * another entry fills is not state here; its values are plain inputs and outputs.
 *
 * @throws RR_GRAPH if the graph has no such entry
 */
export function entryGraph(graph: Graph, name: string): Graph {
  const entry = graph.entries?.[name];
  if (entry === undefined) {
    const known = Object.keys(graph.entries ?? { forward: undefined });
    throw new RingrankError("RR_GRAPH", `the graph has no entry "${name}"; it has ${known.join(", ")}`);
  }
  const inputs = new Set(entry.inputs);
  const outputs = new Set(entry.outputs);
  const isOwn = ({ past, present }: RecurrentState): boolean => inputs.has(past) && outputs.has(present);
  const recurrent = graph.recurrent?.filter(isOwn) ?? [];
  return withoutUnread({
    opsets: graph.opsets,
    inputs: graph.inputs.filter((input) => inputs.has(input.name)),
    outputs: graph.outputs.filter((output) => outputs.has(output.name)),
    nodes: graph.nodes,
    weights: graph.weights,
    caches: graph.caches.filter(({ positions, states }) => inputs.has(positions) && states.every(isOwn)),
    ...(recurrent.length > 0 && { recurrent }),
  });
}
