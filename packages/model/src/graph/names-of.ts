import type { Branch } from "./graph.js";

/** The names of all values of a graph, including those inside branches. */
export function namesOf(graph: Branch): Set<string> {
  const names = new Set([...graph.inputs.map(({ name }) => name), ...graph.weights.keys()]);
  for (const { outputs, attributes } of graph.nodes) {
    for (const name of outputs) names.add(name);
    for (const attribute of Object.values(attributes)) {
      if (attribute.kind === "graph") for (const name of namesOf(attribute.value)) names.add(name);
    }
  }
  return names;
}
