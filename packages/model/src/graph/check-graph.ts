import { RingrankError } from "@ringrank/errors";
import type { Graph } from "./graph.js";
import { keptStates } from "./kept-states.js";
import { definedOutside, readsOf } from "./reads-of.js";

/**
 * Checks that every value has one definition, before it is read, and that outputs and caches name existing values.
 *
 * @throws RR_GRAPH
 */
export function checkGraph(graph: Graph): void {
  if (definedOutside(graph).size !== graph.inputs.length + graph.weights.size) {
    throw new RingrankError("RR_GRAPH", "two inputs, or an input and a weight, have the same name");
  }
  const defined = definedOutside(graph);
  graph.nodes.forEach((node, index) => {
    for (const name of readsOf(node)) {
      if (!defined.has(name)) {
        const where = `node ${index} (${node.opType})`;
        throw new RingrankError("RR_GRAPH", `${where} reads "${name}", which nothing before it defines`);
      }
    }
    for (const name of node.outputs) {
      if (name === "") continue;
      if (defined.has(name)) throw new RingrankError("RR_GRAPH", `the value "${name}" is defined twice`);
      defined.add(name);
    }
  });
  for (const { name } of graph.outputs) requireValue(defined, name, "output");
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  for (const { positions } of graph.caches) requireValue(inputs, positions, "cache's positions input");
  for (const { past, present } of keptStates(graph)) {
    requireValue(inputs, past, "state's past input");
    requireValue(outputs, present, "state's present output");
  }
}

function requireValue(known: ReadonlySet<string>, name: string, role: string): void {
  if (!known.has(name)) throw new RingrankError("RR_GRAPH", `the ${role} "${name}" does not exist`);
}
