import type { Graph } from "@ringrank/model";
import type { SizeProduct } from "../program/program.js";
import type { SizePair } from "./size-pair.js";

/**
 * The two sizes that represent each symbolic dimension: primes, no prime twice; or the same size twice, if the graph
 * accepts no other.
 */
export type SymbolTable = ReadonlyMap<string, SizePair>;

/**
 * Gives every symbolic dimension of the graph's inputs two primes of its own, in order of appearance, with a difference
 * of their own. Otherwise, `batch + 4` could have the sizes of `sequence` at both settings, and be mistaken for it.
 */
export function symbolTable(graph: Graph): SymbolTable {
  const table = new Map<string, SizePair>();
  const differences = new Set<number>();
  let last = 5;
  for (const { dims } of graph.inputs) {
    for (const dim of dims) {
      if (typeof dim === "number" || table.has(dim)) continue;
      const first = nextPrime(last);
      let second = nextPrime(first);
      while (differences.has(second - first)) second = nextPrime(second);
      differences.add(second - first);
      last = second;
      table.set(dim, [first, second]);
    }
  }
  return table;
}

/** A size for every symbol: one of its two sizes, or derived from them. */
export function bindSymbols(
  symbols: SymbolTable,
  choose: (sizes: SizePair) => number,
): Readonly<Record<string, number>> {
  return Object.fromEntries([...symbols].map(([symbol, sizes]) => [symbol, choose(sizes)]));
}

/** The first prime above a number. */
export function nextPrime(above: number): number {
  let candidate = above + 1;
  while (hasDivisor(candidate)) candidate++;
  return candidate;
}

function hasDivisor(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return true;
  return false;
}

/**
 * Recovers a dimension that is a constant times symbols. All primes are different, so the ratio of the two sizes has a
 * unique factorization, which gives the symbols; the remainder is the constant.
 *
 * @returns undefined if the size is not such a product, for example `past + sequence`
 */
export function sizeProduct([first, second]: SizePair, symbols: SymbolTable): SizeProduct | undefined {
  if (first === second) return { scale: first, symbols: [] };
  if (first === 0 || second === 0 || Number.isNaN(second)) return undefined;
  const common = greatestCommonDivisor(first, second);
  let [upper, lower] = [first / common, second / common];
  let scale = first;
  const factors: string[] = [];
  for (const [symbol, [a, b]] of symbols) {
    if (a === b) continue;
    while (upper % a === 0 && lower % b === 0) {
      upper /= a;
      lower /= b;
      scale /= a;
      factors.push(symbol);
    }
  }
  return upper === 1 && lower === 1 ? { scale, symbols: factors } : undefined;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
