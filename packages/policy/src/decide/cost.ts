import { isRingrankError } from "@ringrank/errors";
import { type Graph, keptStates } from "@ringrank/model";
import { byteCount } from "@ringrank/model/weights";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import { bindSymbols, type Evaluated, evaluateShapes, type SymbolTable } from "../shapes/index.js";
import { isStatic } from "../shapes/size-pair.js";
import type { Placement } from "./placement.js";

/**
 * The predicted cost of a token: one decode step at a reference context length. The bytes of weights dominate, and hide
 * the arithmetic of a single row; each all-reduce adds a wait and its bytes.
 *
 * The constants are rounded measurements on two x86-64 cores. They only have to rank plans: over the causal models of
 * the test fixtures at 2, 3 and 8 ranks, halving or doubling any one of them changed no decision for memory, and fewer
 * than one in a hundred for time.
 */
const costConstants = {
  /** Bytes of fp32 weights that a rank streams through matrix–vector products per second. */
  weightBytesPerSecond: 16e9,
  /** Seconds of one small all-reduce: fetching, waiting for the slowest rank, feeding. */
  collectiveSeconds: 20e-6,
  /** Bytes of operand that an all-reduce moves per second. */
  collectiveBytesPerSecond: 4e9,
  /** Cached positions of the decode step, with which scores grow: 11 gave wrong decisions, 512 right ones. */
  referenceContext: 512,
} as const;

/** The step that costs are predicted for. */
export interface ReferenceStep {
  /**
   * `a token`; for an encoder–decoder, `a token of source and target`; for a graph without a cache, `a run`, with its
   * length if that is free.
   */
  readonly name: string;
  bytesOf(value: string): number;
}

/**
 * The reference step: batch 1, one new token, `referenceContext` cached ones. Without a cache, it is a sequence of that
 * length. A graph that only supports shorter sequences is measured at its longest.
 */
export function referenceStep({ graph, symbols }: FactoredGraph): ReferenceStep {
  const { context, values } = evaluateAtMost(graph, symbols, costConstants.referenceContext);
  const isFree = graph.inputs.some(({ dims }) =>
    dims.some((dim, axis) => axis > 0 && typeof dim === "string" && !isStatic(symbols.get(dim)!)),
  );
  const run = isFree && context >= 1 ? `a run of length ${context}` : "a run";
  return {
    name: keptStates(graph).length > 0 ? tokenOf(graph) : run,
    bytesOf: (value) => {
      const { type, dims } = values.get(value)!;
      return byteCount(type, dims);
    },
  };
}

/** For an encoder and a decoder, both are counted: the former once per source, the latter once per token. */
function tokenOf({ caches }: Graph): string {
  return caches.some(({ filledBy }) => filledBy !== undefined) ? "a token of source and target" : "a token";
}

function evaluateAtMost(
  graph: Graph,
  symbols: SymbolTable,
  context: number,
): { readonly context: number; readonly values: ReadonlyMap<string, Evaluated> } {
  // Below one position: the sizes that it was planned with.
  const isLast = context < 1;
  const sizes = bindSymbols(symbols, ([first]) => first);
  try {
    const reference = isLast ? sizes : { ...sizes, ...referenceSizes(graph, symbols, context) };
    return { context, values: evaluateShapes(graph, reference) };
  } catch (error) {
    if (isLast || !isRingrankError(error) || error.code !== "RR_GRAPH") throw error;
    return evaluateAtMost(graph, symbols, context / 2);
  }
}

function referenceSizes(graph: Graph, symbols: SymbolTable, context: number): Record<string, number> {
  const cached = new Map(
    graph.caches.flatMap((cache) => {
      const symbol = graph.inputs.find(({ name }) => name === cache.positions)?.dims[1];
      return typeof symbol === "string" ? [[symbol, cache.window ?? context] as const] : [];
    }),
  );
  const sizes: Record<string, number> = Object.create(null);
  for (const { dims } of graph.inputs) {
    dims.forEach((dim, axis) => {
      if (typeof dim !== "string" || isStatic(symbols.get(dim)!)) return;
      // Without state, every dimension except the first is a length that is computed as a whole.
      const length = keptStates(graph).length === 0 && axis > 0 ? context : 1;
      sizes[dim] = Math.min(context, cached.get(dim) ?? length);
    });
  }
  return sizes;
}

export interface Cost {
  readonly secondsPerToken: number;
  /** Bytes of one rank's operands, summed over all-reduces, and of what is gathered. */
  readonly collectiveBytesPerToken: number;
  readonly allReduces: number;
  readonly allGathers: number;
}

export function secondsToRead(parameterBytes: number): number {
  return parameterBytes / costConstants.weightBytesPerSecond;
}

/** @param bytes of one rank's operand */
export function secondsOfCollective(bytes: number): number {
  return costConstants.collectiveSeconds + bytes / costConstants.collectiveBytesPerSecond;
}

/** @param bytesRead parameter bytes that the slowest rank reads per token */
export function costOf(
  bytesRead: number,
  placement: Placement,
  sizeOfValue: (value: string) => number,
): Cost {
  let collectiveBytes = 0;
  const { paid, gathered } = placement;
  for (const value of [...paid, ...gathered.keys()]) collectiveBytes += sizeOfValue(value);
  const { collectiveSeconds, collectiveBytesPerSecond } = costConstants;
  return {
    secondsPerToken:
      secondsToRead(bytesRead) +
      (paid.size + gathered.size) * collectiveSeconds +
      collectiveBytes / collectiveBytesPerSecond,
    collectiveBytesPerToken: collectiveBytes,
    allReduces: paid.size,
    allGathers: gathered.size,
  };
}
