import { isRingrankError, RingrankError } from "@ringrank/errors";
import type { DataType, Graph } from "@ringrank/model";
import { type Branches, evaluateShapes } from "./evaluate.js";
import { describe, type Evaluated } from "./evaluated.js";
import { fittingSymbols } from "./fitting-symbols.js";
import { isStatic, type SizePair, unproven, zip } from "./size-pair.js";
import { bindSymbols, type SymbolTable } from "./symbols.js";
import { findUnproven } from "./unproven.js";
import { isSame, type Marks, type Unproven } from "./values-at-both.js";

/** A value at two settings of the symbolic dimensions. */
export interface EvaluatedPair {
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  /** As in {@link Evaluated}, if both settings have them, and equally many. */
  readonly contents?: readonly SizePair[] | undefined;
}

export interface PairedShapes {
  /** By name; only values that both settings have. */
  readonly values: ReadonlyMap<string, EvaluatedPair>;
  readonly symbols: SymbolTable;
}

/**
 * The shape of every value at two settings of the symbolic dimensions. One setting could not tell dynamic sizes from
 * static ones; with two, symbolic algebra is not needed. Sizes that are equal at both settings are still not considered
 * static if they are marked (unproven.ts), or differ at a third setting.
 *
 * @throws RingrankError RR_GRAPH, as {@link evaluateShapes}, and if a value's rank or type depends on sizes
 */
export function evaluatePair(graph: Graph, branches: Branches = "both"): PairedShapes {
  let refusal: unknown;
  for (const symbols of fittingSymbols(graph)) {
    try {
      return evaluateAt(graph, symbols, branches);
    } catch (error) {
      if (!isRingrankError(error) || error.code !== "RR_GRAPH") throw error;
      // The error for the first, unconstrained sizes is the most informative one.
      refusal ??= error;
    }
  }
  throw refusal;
}

function evaluateAt(graph: Graph, symbols: SymbolTable, branches: Branches): PairedShapes {
  const setting = (choose: (sizes: SizePair) => number) =>
    evaluateShapes(graph, bindSymbols(symbols, choose), branches);
  const first = setting(([size]) => size);
  const second = setting(([, size]) => size);
  const third = orNothing(() => setting((sizes) => (isStatic(sizes) ? sizes[0] : sizes[0] + 1)));
  const marks = findUnproven(graph.nodes, first, second, branches);
  const values = new Map<string, EvaluatedPair>();
  for (const [name, value] of first) {
    const other = second.get(name);
    if (other === undefined) continue;
    values.set(
      name,
      new PairedValue(name, [value, other], { marks: marks.get(name), value: third?.get(name) }),
    );
  }
  return { values, symbols };
}

/** Undefined if the graph does not accept such sizes. */
function orNothing<T>(evaluate: () => T): T | undefined {
  try {
    return evaluate();
  } catch (error) {
    if (isRingrankError(error) && error.code === "RR_GRAPH") return undefined;
    throw error;
  }
}

/** Evidence against sizes and elements that are the same at both settings. */
interface Doubts {
  readonly marks: Unproven | undefined;
  /**
   * The value at a third setting, with even sizes: the other two have primes, whose halves leave the same remainder.
   */
  readonly value: Evaluated | undefined;
}

/** Contents are paired on first use, because most are never used. */
class PairedValue implements EvaluatedPair {
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  readonly #values: readonly [Evaluated, Evaluated];
  readonly #doubts: Doubts;
  #contents: readonly SizePair[] | undefined;

  constructor(name: string, values: readonly [Evaluated, Evaluated], doubts: Doubts) {
    const [first, second] = values;
    if (first.type !== second.type || first.dims.length !== second.dims.length) {
      throw new RingrankError(
        "RR_GRAPH",
        `value ${name}: expected the same type and rank at all sizes, not ${describe(first)} and ${describe(second)}`,
      );
    }
    this.type = first.type;
    this.dims = doubting(zip(first.dims, second.dims), doubts.marks?.dims, doubts.value?.dims);
    this.#values = values;
    this.#doubts = doubts;
  }

  get contents(): readonly SizePair[] | undefined {
    const [first, second] = this.#values;
    if (first.contents?.length !== second.contents?.length) return undefined;
    const { marks, value } = this.#doubts;
    this.#contents ??=
      first.contents &&
      second.contents &&
      doubting(zip(first.contents, second.contents), marks?.contents, value?.contents);
    return this.#contents;
  }
}

/**
 * A value that looks static but is doubtful counts as unknown at the second setting, since another call may have a
 * different one.
 */
function doubting(
  pairs: readonly SizePair[],
  marks: Marks | undefined,
  third: readonly number[] | undefined,
): readonly SizePair[] {
  const differs = (size: number, at: number): boolean =>
    third !== undefined && (third.length !== pairs.length || !isSame(third[at]!, size));
  const isDoubted = ([size]: SizePair, at: number): boolean => marks?.[at] === 1 || differs(size, at);
  return pairs.map((pair, at) => (isStatic(pair) && isDoubted(pair, at) ? unproven(pair) : pair));
}
