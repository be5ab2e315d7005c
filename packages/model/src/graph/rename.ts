import type { Branch, Graph, GraphNode, RecurrentState } from "./graph.js";
import { mapBranches } from "./map-branches.js";

/**
 * The same graph with every value renamed, including inputs, outputs, weights and caches. Neither a graph's results nor
 * its split may depend on names; tests use this to show it.
 *
 * @param rename is called once per name, and must return distinct names for distinct ones
 */
export function renameValues(graph: Graph, rename: (name: string) => string): Graph {
  const names = new Map<string, string>([["", ""]]);
  const renamed = (name: string): string => {
    let to = names.get(name);
    if (to === undefined) {
      to = rename(name);
      names.set(name, to);
    }
    return to;
  };
  return apply(graph, renamed);
}

function apply<Of extends Branch>(graph: Of, renamed: (name: string) => string): Of {
  const renamedState = <State extends RecurrentState>(state: State): State => ({
    ...state,
    past: renamed(state.past),
    present: renamed(state.present),
  });
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: renamed(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: renamed(output.name) })),
    nodes: graph.nodes.map((node) => applyToNode(node, renamed)),
    weights: new Map(Array.from(graph.weights, ([name, weight]) => [renamed(name), weight])),
    caches: graph.caches.map((cache) => ({
      ...cache,
      positions: renamed(cache.positions),
      states: cache.states.map(renamedState),
    })),
    ...(graph.recurrent && { recurrent: graph.recurrent.map(renamedState) }),
    ...(graph.entries && {
      entries: Object.fromEntries(
        Object.entries(graph.entries).map(([name, { inputs, outputs }]) => [
          name,
          { inputs: inputs.map(renamed), outputs: outputs.map(renamed) },
        ]),
      ),
    }),
  };
}

function applyToNode(node: GraphNode, renamed: (name: string) => string): GraphNode {
  return {
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
    attributes: mapBranches(node, (branch) => apply(branch, renamed)),
  };
}
