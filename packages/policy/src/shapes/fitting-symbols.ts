import { type Graph, intAttribute, intsAttribute } from "@ringrank/model";
import type { SizePair } from "./size-pair.js";
import { nextPrime, type SymbolTable, symbolTable } from "./symbols.js";

/** The lengths of signals, and the largest side of an image, with which a graph is tried. */
const [shortestSignal, longestSignal, largestImage] = [128, 2 ** 20, 1024];

/**
 * Settings of the symbolic dimensions to try in turn. Tokens may have any sizes; but a convolution determines its
 * number of channels, a stack of convolutions needs a signal that is long enough, and position embeddings of an image
 * determine its size. A size for which only one value works is static.
 */
export function* fittingSymbols(graph: Graph): Generator<SymbolTable> {
  const free = symbolTable(graph);
  const convolved = convolvedInputs(graph);
  const spatial = [...new Set(convolved.flatMap(({ spatial }) => spatial))];
  const channels = convolved.flatMap(({ channels }) => (channels === undefined ? [] : [channels]));
  const fixed = new Map<string, SizePair>([...free, ...channels]);
  if (spatial.length === 0) {
    yield fixed;
    return;
  }
  for (let least = shortestSignal; least <= longestSignal; least *= 8)
    yield new Map([...fixed, ...far(spatial, least)]);
  const [{ stride }] = convolved as [ConvolvedInput];
  // A single position would broadcast to any number of positions.
  for (let side = 2 * stride; side <= largestImage; side += stride)
    yield new Map([...fixed, ...spatial.map((symbol): [string, SizePair] => [symbol, [side, side]])]);
}

/** Primes, each at least twice the one before: strides would map two close ones to the same number of positions. */
function far(symbols: readonly string[], least: number): [string, SizePair][] {
  let prime = least;
  const next = (): number => {
    prime = nextPrime(prime);
    return prime;
  };
  return symbols.map((symbol) => {
    const first = next();
    prime *= 2;
    return [symbol, [first, next()]];
  });
}

interface ConvolvedInput {
  /** The symbol of its channels, if they have one, with the kernel's number of channels. */
  readonly channels: readonly [string, SizePair] | undefined;
  /** Symbols of the axes that windows slide along. */
  readonly spatial: readonly string[];
  readonly stride: number;
}

/** Inputs that a convolution reads, directly or after a cast. */
function convolvedInputs({ inputs, nodes, weights }: Graph): ConvolvedInput[] {
  const sources = new Map(inputs.map(({ name }) => [name, name]));
  return nodes.flatMap((node): ConvolvedInput[] => {
    const { opType, inputs: read, outputs } = node;
    const source = sources.get(read[0] ?? "");
    if (source === undefined) return [];
    if (opType === "Cast" || opType === "Identity" || opType === "Unsqueeze")
      sources.set(outputs[0]!, source);
    const kernel = weights.get(read[1] ?? "");
    if (opType !== "Conv" || kernel === undefined) return [];
    const { dims } = inputs.find(({ name }) => name === source)!;
    const count = kernel.dims[1]! * intAttribute(node, "group", 1);
    const isChannels = dims.length === kernel.dims.length;
    const [, second] = dims;
    return [
      {
        channels: isChannels && typeof second === "string" ? [second, [count, count]] : undefined,
        spatial: dims.slice(isChannels ? 2 : 1).filter((dim) => typeof dim === "string"),
        stride: Math.max(1, ...(intsAttribute(node, "strides") ?? [])),
      },
    ];
  });
}
