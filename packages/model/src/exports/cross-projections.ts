import { RingrankError } from "@ringrank/errors";
import { type Graph, type GraphNode, readsOf, withoutUnread } from "../graph/index.js";
import { constantOf, producersOf } from "./edit.js";
import { isShape, readersOf, sizesRead } from "./sizes-read.js";

/**
 * What a decoder's first step makes of the encoder's output alone: `graph` without all else. Exporters take the batch
 * from whatever tensor is at hand, the decoder's own too, `Gather(Shape(x), 0)` or `Shape(x, start=0, end=1)`. It is
 * the encoder's output's as well, so it is taken from there, and the decoder need not run for it.
 *
 * @param graph of which every output is `[batch, heads, source, lanes]`, of the input `hidden`'s batch
 * @throws RR_NO_GENERATE where an output depends on more
 */
export function crossProjections(graph: Graph, hidden: string): Graph {
  const needed = withoutUnread(graph);
  const readers = readersOf(needed.nodes);
  const producers = producersOf(needed.nodes);
  const known = new Set([hidden, ...needed.weights.keys()]);
  const nodes = needed.nodes.map((node) => {
    const isKnown = [...readsOf(node)].every((name) => known.has(name));
    const takesBatch = !isKnown && isShape(node) && readsBatch(node);
    if (isKnown || takesBatch) for (const name of node.outputs) known.add(name);
    return takesBatch ? { ...node, inputs: [hidden] } : node;
  });
  const projections = withoutUnread({ ...needed, nodes });
  const foreign = projections.nodes.find((node) => [...readsOf(node)].some((name) => !known.has(name)));
  if (foreign === undefined) return projections;
  throw new RingrankError(
    "RR_NO_GENERATE",
    `expected keys and values of cross-attention to depend on ${hidden} alone; ${foreign.opType} reads ` +
      `${[...readsOf(foreign)].filter((name) => !known.has(name)).join(", ")} as well`,
  );

  /** Whether the first size is the only one that is read. */
  function readsBatch(shape: GraphNode): boolean {
    const constant = (name: string) => constantOf(name, graph, producers);
    return (
      sizesRead(shape, readers.get(shape.outputs[0]!) ?? [], constant)?.every((axis) => axis === 0) ?? false
    );
  }
}
