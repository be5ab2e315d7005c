import type { Graph, GraphNode } from "../graph/graph.js";

/** By value: the node that computes it. */
export function producersOf(nodes: readonly GraphNode[]): Map<string, GraphNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** The value that `name` is an alias of, through nodes that change nothing. */
export function originOf(name: string, producers: ReadonlyMap<string, GraphNode>): string {
  let origin = name;
  for (let node = producers.get(origin); node && isSame(node); node = producers.get(origin)) {
    origin = node.inputs[0]!;
  }
  return origin;
}

/** TorchScript leaves a Concat with one input if a cache of transformers, which starts empty, is given a past. */
function isSame({ opType, inputs }: GraphNode): boolean {
  return opType === "Identity" || (opType === "Concat" && inputs.length === 1);
}

/** The elements of a constant that is stored in the graph; undefined if there is none with that name. */
export function constantOf(
  name: string,
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
): readonly number[] | undefined {
  const source = graph.weights.get(name)?.source;
  if (source?.kind === "inline") return Array.from(source.data, Number);
  const { value, value_int, value_ints } = producers.get(name)?.attributes ?? {};
  if (value?.kind === "tensor") return Array.from(value.value.data, Number);
  if (value_int?.kind === "int") return [value_int.value];
  return value_ints?.kind === "ints" ? value_ints.value : undefined;
}
