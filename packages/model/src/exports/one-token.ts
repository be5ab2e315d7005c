import { type Graph, interfaceNames, withSizes } from "../graph/index.js";
import { statePairs } from "./state-pairs.js";

/**
 * Fixes the number of new tokens of a decoder that continues where another one starts to the number that it was made
 * for. This is one if its states are declared to grow by one, from `past_sequence_length` to
 * `past_sequence_length + 1`, whatever it calls its number of tokens. Optimum made such decoders until 2023 by tracing
 * a single new token, which needs no mask: with more, each would see the later ones.
 */
export function takingItsTokens(graph: Graph): Graph {
  const tokens = graph.inputs.find(({ name }) => name === interfaceNames.inputIds)?.dims[1];
  if (typeof tokens !== "string" || !growsByOne(graph)) return graph;
  return withSizes(graph, new Map([[tokens, 1]]));
}

function growsByOne(graph: Graph): boolean {
  return statePairs(graph).pairs.some(({ past, present }) =>
    past.dims.some((rows, axis) => typeof rows === "string" && present.dims[axis] === `${rows} + 1`),
  );
}
