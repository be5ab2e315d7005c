import { isRingrankError } from "@ringrank/errors";
import { type Graph, keptStates, type SymbolicDim, withSizes } from "@ringrank/model";
import { type Branches, countFittingNodes } from "../shapes/evaluate.js";
import { fittingSymbols } from "../shapes/fitting-symbols.js";
import { evaluatePair } from "../shapes/pair.js";
import { bindSymbols } from "../shapes/symbols.js";

/** By symbol: the symbol or number whose size it must have; for `withSizes`. */
export type EqualSizes = ReadonlyMap<SymbolicDim, SymbolicDim>;

/**
 * The number of graphs that are evaluated, twice each, before a search for equal sizes is given up: a few seconds for a
 * large graph.
 */
const mostAttempts = 400;

/**
 * Finds symbols that stand for the same size under different names, where a graph only works if they are equal.
 * Exporters that are told that every size may differ name each input's batch and length separately, and operators then
 * fail in calls in which, for example, a mask does not have the size of its tokens.
 *
 * If the graph is refused with all sizes different, this equates two symbols of one axis of its inputs, the two that
 * let the evaluation proceed furthest, until it succeeds. Calls in which these sizes are equal stay valid; others are
 * to be refused by whoever takes calls.
 *
 * @returns empty for a graph that accepts all sizes, and for one for which no such pairs are found within {@link
 * mostAttempts}
 */
export function findEqualSizes(graph: Graph, branches: Branches = "both"): EqualSizes {
  const none: EqualSizes = new Map();
  // Most graphs have no pairs, and need not be evaluated.
  const [anyPair] = pairsOfSizes(graph);
  if (anyPair === undefined || isEvaluated(graph, branches)) return none;
  let best: Attempt = { graph, equal: none, fitting: countFitting(graph, branches) };
  let attempts = 0;
  do {
    const { fitting } = best;
    for (const attempt of unitingTwo(best, branches)) {
      if (attempt.fitting > best.fitting) best = attempt;
      if (++attempts === mostAttempts) return none;
    }
    if (best.fitting === fitting) return none;
  } while (!isEvaluated(best.graph, branches));
  return best.equal;
}

interface Attempt {
  readonly graph: Graph;
  readonly equal: EqualSizes;
  /** Number of nodes that fit together. */
  readonly fitting: number;
}

/** All ways of equating one more symbol with another size of its axis. */
function* unitingTwo({ graph, equal }: Attempt, branches: Branches): Generator<Attempt> {
  for (const [symbol, size] of pairsOfSizes(graph)) {
    const united = withSizes(graph, new Map([[symbol, size]]));
    const all = new Map([...equal].map(([name, known]) => [name, known === symbol ? size : known] as const));
    yield { graph: united, equal: all.set(symbol, size), fitting: countFitting(united, branches) };
  }
}

/**
 * Pairs of a symbol in the caller's inputs and an earlier symbol of the same axis; then pairs of a symbol and a number
 * of the axis, last because a 1 broadcasts to any symbol. The number of cache rows is excluded, since no caller chooses
 * it.
 */
function* pairsOfSizes(graph: Graph): Generator<readonly [string, SymbolicDim]> {
  const kept = new Set([
    ...graph.caches.map(({ positions }) => positions),
    ...keptStates(graph).map(({ past }) => past),
  ]);
  const inputs = graph.inputs.filter(({ name }) => !kept.has(name));
  const rank = Math.max(0, ...inputs.map(({ dims }) => dims.length));
  const axes = Array.from(
    { length: rank },
    (_, axis) => new Set(inputs.flatMap(({ dims }) => dims[axis] ?? [])),
  );
  const symbolsOf = (sizes: Iterable<SymbolicDim>) => [...sizes].filter((size) => typeof size === "string");
  for (const symbols of axes.map(symbolsOf)) {
    for (const [at, symbol] of symbols.entries()) {
      for (const other of symbols.slice(0, at)) yield [symbol, other];
    }
  }
  for (const sizes of axes) {
    const numbers = [...sizes].filter((size) => typeof size === "number");
    for (const symbol of symbolsOf(sizes)) for (const number of numbers) yield [symbol, number];
  }
}

function countFitting(graph: Graph, branches: Branches): number {
  const [symbols] = fittingSymbols(graph);
  const counts = [0, 1].map((setting) =>
    countFittingNodes(
      graph,
      bindSymbols(symbols!, (sizes) => sizes[setting]!),
      branches,
    ),
  );
  return Math.min(...counts);
}

function isEvaluated(graph: Graph, branches: Branches): boolean {
  try {
    evaluatePair(graph, branches);
    return true;
  } catch (error) {
    if (isRingrankError(error) && error.code === "RR_GRAPH") return false;
    throw error;
  }
}
