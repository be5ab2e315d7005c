import { RingrankError } from "@ringrank/errors";
import { type Graph, type GraphNode, readsOf, withoutUnread } from "../graph/index.js";
import { constantOf, producersOf } from "./producers.js";
import { isShape, readersOf, sizesRead } from "./sizes-read.js";

/**
 * The part of a decoder's first step that only depends on the encoder's output: `graph` without everything else.
 *
 * Exporters take the batch from whatever tensor is at hand, including the decoder's own, by `Gather(Shape(x), 0)` or
 * `Shape(x, start=0, end=1)`. The encoder's output has the same batch, so it is taken from there, and the decoder need
 * not run for it.
 *
 * @param graph every output is `[batch, heads, source, lanes]`, with the batch of the input `hidden`
 * @throws RR_NO_GENERATE if an output depends on more
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

  /** Whether only the first size is read. */
  function readsBatch(shape: GraphNode): boolean {
    const constant = (name: string) => constantOf(name, graph, producers);
    return (
      sizesRead(shape, readers.get(shape.outputs[0]!) ?? [], constant)?.every((axis) => axis === 0) ?? false
    );
  }
}
