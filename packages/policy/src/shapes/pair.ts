import { isRingrankError, RingrankError } from "@ringrank/errors";
import type { DataType, Graph } from "@ringrank/model";
import { type Branches, evaluateShapes } from "./evaluate.js";
import { describe, type Evaluated } from "./evaluated.js";
import { fittingSymbols } from "./fitting-symbols.js";
import { isStatic, type SizePair, unproven, zip } from "./size-pair.js";
import type { SymbolTable } from "./symbols.js";
import { findUnproven } from "./unproven.js";
import type { Marks, Unproven } from "./values-at-both.js";

/** A value at two settings of the symbolic dimensions. */
export interface EvaluatedPair {
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  /** As in {@link Evaluated}, where both settings have them and in the same number. */
  readonly contents?: readonly SizePair[] | undefined;
}

export interface PairedShapes {
  /** By name; those that both settings have. */
  readonly values: ReadonlyMap<string, EvaluatedPair>;
  readonly symbols: SymbolTable;
}

/**
 * The shape of every value at two settings of the symbolic dimensions: one setting alone cannot tell a dynamic
 * size from a static one, and two make symbolic algebra unnecessary.
 *
 * @throws RingrankError RR_GRAPH, as {@link evaluateShapes}, and where a value's rank or type depends on sizes
 */
export function evaluatePair(graph: Graph, branches: Branches = "both"): PairedShapes {
  let refusal: unknown;
  for (const symbols of fittingSymbols(graph)) {
    try {
      return evaluateAt(graph, symbols, branches);
    } catch (error) {
      if (!isRingrankError(error) || error.code !== "RR_GRAPH") throw error;
      // What the first, unconstrained sizes were refused for says most.
      refusal ??= error;
    }
  }
  throw refusal;
}

function evaluateAt(graph: Graph, symbols: SymbolTable, branches: Branches): PairedShapes {
  const setting = (which: 0 | 1) =>
    evaluateShapes(
      graph,
      Object.fromEntries([...symbols].map(([symbol, sizes]) => [symbol, sizes[which]])),
      branches,
    );
  const first = setting(0);
  const second = setting(1);
  const marks = findUnproven(graph.nodes, first, second, branches);
  const values = new Map<string, EvaluatedPair>();
  for (const [name, value] of first) {
    const other = second.get(name);
    if (other !== undefined) values.set(name, new PairedValue(name, [value, other], marks.get(name)));
  }
  return { values, symbols };
}

/** Contents are paired when first asked for: most are never asked. */
class PairedValue implements EvaluatedPair {
  readonly type: DataType;
  readonly dims: readonly SizePair[];
  readonly #values: readonly [Evaluated, Evaluated];
  readonly #unproven: Unproven | undefined;
  #contents: readonly SizePair[] | undefined;

  constructor(name: string, values: readonly [Evaluated, Evaluated], unproven: Unproven | undefined) {
    const [first, second] = values;
    if (first.type !== second.type || first.dims.length !== second.dims.length) {
      throw new RingrankError(
        "RR_GRAPH",
        `value ${name}: expected one type and rank at all sizes, not ${describe(first)} and ${describe(second)}`,
      );
    }
    this.type = first.type;
    this.dims = doubting(zip(first.dims, second.dims), unproven?.dims);
    this.#values = values;
    this.#unproven = unproven;
  }

  get contents(): readonly SizePair[] | undefined {
    const [first, second] = this.#values;
    if (first.contents?.length !== second.contents?.length) return undefined;
    this.#contents ??=
      first.contents &&
      second.contents &&
      doubting(zip(first.contents, second.contents), this.#unproven?.contents);
    return this.#contents;
  }
}

/** What is marked and looks static is not known at the second setting: any other call may have something else. */
function doubting(pairs: readonly SizePair[], marks: Marks | undefined): readonly SizePair[] {
  if (!marks?.includes(1)) return pairs;
  return pairs.map((pair, at) => (marks[at] === 1 && isStatic(pair) ? unproven(pair) : pair));
}
