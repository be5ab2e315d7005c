import { intAttribute } from "../graph/attributes.js";
import type { GraphNode } from "../graph/graph.js";
import { readsOf } from "../graph/reads-of.js";

/** More axes than any model's tensors have. A larger end stands for the last axis. */
const mostAxes = 8;

/**
 * The axes whose sizes are read from a `Shape`, if it returns no others (`start`, `end`), or if every reader takes one
 * of them by a constant index. Undefined if it may be any axis.
 *
 * @param readers nodes that read the node's output
 * @param constant returns the elements of a constant, by name
 */
export function sizesRead(
  shape: GraphNode,
  readers: readonly GraphNode[],
  constant: (name: string) => readonly number[] | undefined,
): readonly number[] | undefined {
  const start = intAttribute(shape, "start", 0);
  const end = intAttribute(shape, "end", -1);
  if (start < 0) return undefined;
  if (end >= start && end - start <= mostAxes)
    return Array.from({ length: end - start }, (_, at) => start + at);
  const axes = readers.flatMap(
    (reader) => (reader.opType === "Gather" && constant(reader.inputs[1]!)) || [-1],
  );
  return axes.every((axis) => axis >= 0) ? axes.map((axis) => start + axis) : undefined;
}

export function isShape({ opType, domain }: GraphNode): boolean {
  return opType === "Shape" && domain === "";
}

/** By value: the nodes that read it. */
export function readersOf(nodes: readonly GraphNode[]): Map<string, GraphNode[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const name of readsOf(node)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return readers;
}
