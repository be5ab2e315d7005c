import { type Graph, type GraphEntry, readsOf } from "@ringrank/model";

/** A part of a graph that runs separately, and the nodes that it needs, by index. */
export interface EntryNodes extends GraphEntry {
  readonly name: string;
  readonly nodes: ReadonlySet<number>;
}

/** The entries of a graph; if the graph names none, a single one called `forward`, with everything. */
export function entriesOf(graph: Graph): EntryNodes[] {
  if (graph.entries === undefined) {
    const names = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);
    const nodes = new Set(graph.nodes.keys());
    return [{ name: "forward", inputs: names(graph.inputs), outputs: names(graph.outputs), nodes }];
  }
  return Object.entries(graph.entries).map(([name, entry]) => ({
    ...entry,
    name,
    nodes: nodesFor(graph, entry.outputs),
  }));
}

function nodesFor({ nodes }: Graph, outputs: readonly string[]): Set<number> {
  const needed = new Set(outputs);
  const found = new Set<number>();
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    found.add(index);
    for (const name of readsOf(node)) needed.add(name);
  }
  return found;
}
