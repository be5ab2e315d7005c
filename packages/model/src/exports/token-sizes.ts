import { type Graph, interfaceNames, type SymbolicDim, withSizes } from "../graph/index.js";

const { inputIds, decoderInputIds, decoderAttentionMask } = interfaceNames;

/** Inputs with one number per token, by the tokens that they are for. */
const perToken: ReadonlyMap<string, string> = new Map([
  [interfaceNames.attentionMask, inputIds],
  [interfaceNames.positionIds, inputIds],
  [interfaceNames.tokenTypeIds, inputIds],
  [decoderAttentionMask, decoderInputIds],
]);

/**
 * A graph whose masks, positions and token types have the sizes of its tokens. If told that every size may differ,
 * torch's newer exporter gives each its own name; but a caller that omits such an input only gives the sizes of the
 * tokens.
 */
export function withTokenSizes(graph: Graph): Graph {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const equal = new Map<SymbolicDim, SymbolicDim>();
  for (const [name, tokens] of perToken) {
    const own = inputs.get(name)?.dims ?? [];
    const wanted = inputs.get(tokens)?.dims ?? [];
    if (own.length !== wanted.length) continue;
    own.forEach((dim, axis) => {
      if (typeof dim === "string" && dim !== wanted[axis]) equal.set(dim, wanted[axis]!);
    });
  }
  return withSizes(graph, equal);
}
