import { RingrankError } from "@ringrank/errors";
import type { Branch, Graph, GraphNode } from "./graph.js";
import { keptStates } from "./kept-states.js";

/**
 * The names of the values that a node reads: its inputs, and the outer values that graphs among its attributes (the
 * branches of an `If`) read.
 */
export function readsOf(node: GraphNode): Set<string> {
  const reads = new Set(node.inputs.filter((name) => name !== ""));
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind !== "graph") continue;
    for (const name of freeValues(attribute.value)) reads.add(name);
  }
  return reads;
}

function freeValues(graph: Branch): Set<string> {
  const defined = definedOutside(graph);
  const free = new Set<string>();
  for (const node of graph.nodes) {
    for (const name of readsOf(node)) if (!defined.has(name)) free.add(name);
    for (const name of node.outputs) defined.add(name);
  }
  for (const { name } of graph.outputs) if (!defined.has(name)) free.add(name);
  return free;
}

/** Names that are defined before any node has run. */
function definedOutside(graph: Branch): Set<string> {
  return new Set([...graph.inputs.map(({ name }) => name), ...graph.weights.keys()]);
}

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

/**
 * The same graph with its nodes in another topological order: of all nodes that may come next, `choose` picks one by
 * index. With `() => 0` it sorts a graph whose nodes are in any order.
 *
 * @throws RR_GRAPH if there is a cycle, or a node reads a value that nothing defines
 */
export function reorderNodes(graph: Graph, choose: (candidates: number) => number): Graph {
  const { nodes } = graph;
  const readers = new Map<string, number[]>();
  const missing = nodes.map(() => 0);
  const defined = definedOutside(graph);
  nodes.forEach((node, index) => {
    for (const name of readsOf(node)) {
      if (defined.has(name)) continue;
      missing[index]!++;
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [index]);
      else list.push(index);
    }
  });
  const ready = nodes.flatMap((_, index) => (missing[index] === 0 ? [index] : []));
  const ordered: GraphNode[] = [];
  // The start of `ready` is already in order. A chosen node is swapped with the first of the rest, since removing it
  // would shift all later ones.
  while (ordered.length < ready.length) {
    const first = ordered.length;
    const chosen = first + choose(ready.length - first);
    const next = ready[chosen]!;
    ready[chosen] = ready[first]!;
    ready[first] = next;
    const node = nodes[next]!;
    ordered.push(node);
    for (const reader of node.outputs.flatMap((name) => readers.get(name) ?? [])) {
      if (--missing[reader]! === 0) ready.push(reader);
    }
  }
  if (ordered.length < nodes.length) {
    const stuck = nodes.find((_, index) => missing[index]! > 0);
    throw new RingrankError(
      "RR_GRAPH",
      `${nodes.length - ordered.length} nodes depend on each other or on a value that nothing defines, ` +
        `such as ${stuck?.opType}`,
    );
  }
  return { ...graph, nodes: ordered };
}

/** A graph in topological order without the nodes and constants that no output needs. */
export function withoutUnread(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  const weights = new Map([...graph.weights].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: nodes.reverse(), weights };
}
