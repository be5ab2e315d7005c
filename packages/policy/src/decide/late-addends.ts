import { floatAttribute, type GraphNode } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import { isOwnRow } from "../analysis/own-rows.js";
import { isParameter } from "../analysis/roles.js";
import { operatorName } from "../graph/operator-name.js";
import { isReshaping } from "../graph/reshaping.js";
import type { Addends } from "../program/program.js";
import { isStatic } from "../shapes/size-pair.js";
import { countsOnce } from "./counted-once.js";
import { neededFor } from "./needed-values.js";
import type { Placement } from "./placement.js";

/**
 * Addends that every rank adds to a sum after the all-reduce, such as the bias of a product and the residual of a
 * layer:
 *
 *     Σ_r (x_r + [r = 0] (b + a))   →   ((Σ_r x_r) + b) + a
 *
 * If rank 0 added them before, each would be an additional operator and input in a session of that rank, for which all
 * other ranks would wait.
 */
export interface LateAddends {
  /** By all-reduced sum, in names of the whole graph. */
  readonly ofSum: ReadonlyMap<string, Addends>;
  /** By output of an adding node: the operand that is omitted on every rank. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/**
 * For each sum: parameters of one row, which every rank then holds, and at most one value with the sum's own size that
 * every rank has, or computes from what it has without a parameter.
 */
export function findLateAddends(factored: FactoredGraph, placement: Placement): LateAddends {
  const { graph, shapes } = factored;
  const onEveryRank = new OnEveryRank(factored, placement);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const ofSum = new Map<string, Addends>();
  const leftOut = new Map<string, string>();
  for (const sum of placement.paid) {
    // An output is in the memory to which the session wrote it.
    if (placement.largest.has(sum) || outputs.has(sum) || shapes.get(sum)!.type !== "float32") continue;
    const found = new AddendsOfSum(sum, factored, placement, onEveryRank);
    const { rows, whole } = found;
    if (rows.length > 0 || whole !== undefined)
      ofSum.set(sum, { rows, ...(whole !== undefined && { value: whole }) });
    for (const [value, name] of found.leftOut) leftOut.set(value, name);
  }
  return { ofSum, leftOut };
}

/** The addends of one sum that every rank can add to it. */
class AddendsOfSum {
  readonly rows: string[] = [];
  whole: string | undefined;
  /** By output of an adding node: the addend among its operands. */
  readonly leftOut = new Map<string, string>();
  readonly #factored: FactoredGraph;
  readonly #placement: Placement;
  readonly #onEveryRank: OnEveryRank;
  readonly #width: number | undefined;

  constructor(sum: string, factored: FactoredGraph, placement: Placement, onEveryRank: OnEveryRank) {
    this.#factored = factored;
    this.#placement = placement;
    this.#onEveryRank = onEveryRank;
    this.#width = this.#rowWidth(sum);
    this.#collect(sum);
  }

  /** Collects the operands of `value`, through sums and reshapes. */
  #collect(value: string): void {
    const { wiring } = this.#factored;
    const index = wiring.producer(value);
    if (index === undefined) return;
    const node = wiring.node(index);
    const addends = addendsOf(node);
    for (const name of addends) {
      if (this.#isOwed(name)) continue;
      if (this.#isRow(name, value)) this.rows.push(name);
      else if (this.#isWhole(name, value)) this.whole = name;
      else continue;
      this.leftOut.set(value, name);
    }
    for (const name of isReshaping(node) ? node.inputs.slice(0, 1) : addends)
      if (this.#isOwed(name) && wiring.soleReader(name) === index) this.#collect(name);
  }

  #isOwed(value: string): boolean {
    const { paid, partial } = this.#placement;
    return partial.has(value) && !paid.has(value);
  }

  #isRow(name: string, sum: string): boolean {
    const width = this.#width;
    return width !== undefined && this.#rowWidth(sum) === width && isOwnRow(name, width, this.#factored);
  }

  /** There is at most one. */
  #isWhole(name: string, sum: string): boolean {
    const sizesOf = (value: string): string => JSON.stringify(this.#factored.shapes.get(value)!.dims);
    return this.whole === undefined && sizesOf(name) === sizesOf(sum) && this.#onEveryRank.has(name);
  }

  /** Undefined if it is not the same in every call. */
  #rowWidth(value: string): number | undefined {
    const last = this.#factored.shapes.get(value)!.dims.at(-1);
    return last !== undefined && isStatic(last) ? last[0] : undefined;
  }
}

/** Operands that are added as they are. */
function addendsOf(node: GraphNode): readonly string[] {
  const operator = operatorName(node);
  if (operator === "Add") return node.inputs;
  const bias = node.inputs[biasSlots.get(operator) ?? node.inputs.length];
  return bias && floatAttribute(node, "beta", 1) === 1 ? [bias] : [];
}

/** By product: which operand is added to it. */
const biasSlots: ReadonlyMap<string, number> = new Map([
  ["Gemm", 2],
  ["com.microsoft::MatMulNBits", 5],
]);

/** The values that all ranks have, or could compute without a weight. */
class OnEveryRank {
  readonly #factored: FactoredGraph;
  /** The values needed by a rank without the addends that count once. */
  readonly #needed: ReadonlySet<string>;
  readonly #known = new Map<string, boolean>();

  constructor(factored: FactoredGraph, placement: Placement) {
    this.#factored = factored;
    this.#needed = neededFor(
      factored,
      placement,
      (node, slot) => !countsOnce(factored.nodes[node]!, slot, placement),
    );
  }

  /** A weight is not a value in the table. */
  has(value: string): boolean {
    return !this.#factored.graph.weights.has(value) && this.#isThere(value);
  }

  #isThere(value: string): boolean {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const found = this.#needed.has(value) || this.#isCheap(value);
    this.#known.set(value, found);
    return found;
  }

  #isCheap(value: string): boolean {
    const { graph, wiring } = this.#factored;
    const weight = graph.weights.get(value);
    if (weight !== undefined) return !isParameter(weight);
    const index = wiring.producer(value);
    if (index === undefined) return false;
    const { inputs }: GraphNode = wiring.node(index);
    return inputs.every((name) => name === "" || this.#isThere(name));
  }
}
