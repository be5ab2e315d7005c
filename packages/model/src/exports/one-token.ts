import { type Graph, interfaceNames, withSizes } from "../graph/index.js";
import { statePairs } from "./state-pairs.js";

/**
 * A decoder that goes on where another begins, its tokens as many as it was made for: one, where its states are said to
 * grow by one, from `past_sequence_length` to `past_sequence_length + 1`, whatever it calls its number of tokens.
 * Optimum made such decoders until 2023 by tracing a single new token, which needs no mask: of more, each would see the
 * later ones.
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
