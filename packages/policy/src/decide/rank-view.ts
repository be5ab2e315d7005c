import { keptStates } from "@ringrank/model";
import type { FactoredGraph, FactoredNode } from "../analysis/factored-graph.js";
import { givenOutputs } from "../analysis/given-outputs.js";
import type { Dim } from "../factors/factor.js";
import { isSharded, localSize, type RankShare } from "../factors/shard.js";
import { sizeProduct } from "../shapes/index.js";
import { countsOnce } from "./counted-once.js";
import type { LateAddends } from "./late-addends.js";
import { neededFor } from "./needed-values.js";
import type { Placement } from "./placement.js";

/**
 * The parts of a graph that concern one rank. A rank without units skips the region that works on them and contributes
 * zeros to its sums; an addend that counts once is only read on rank 0; and what is no longer needed is neither
 * computed nor kept for the next step. So a rank holds exactly the weights that it reads.
 */
export class RankView {
  readonly #factored: FactoredGraph;
  readonly #placement: Placement;
  readonly #late: LateAddends;
  readonly #share: RankShare;
  readonly #rank: number;
  /** Whether the rank has no units of some factor; most ranks have units of all. */
  readonly #lacksUnits: boolean;
  readonly #absent = new Set<string>();
  /** Those of them that are gathered from all ranks. */
  readonly #missingParts = new Set<string>();
  readonly #active: boolean[];
  /** Values that this rank contributes as zeros, by the node that computes them elsewhere. */
  readonly zeros = new Map<number, readonly string[]>();
  /**
   * Whether others depend on a part that the rank should have and does not: it skips the computation of a value of
   * which it does have units, such as a Concat of heads, of which it has none, with something that every rank has. Or
   * they depend on zeros whose size it could not know, because it does not follow from the sizes of a call.
   */
  readonly lacksParts: boolean;

  constructor(
    factored: FactoredGraph,
    placement: Placement,
    late: LateAddends,
    share: RankShare,
    rank: number,
  ) {
    this.#factored = factored;
    this.#placement = placement;
    this.#late = late;
    this.#share = share;
    this.#rank = rank;
    this.#lacksUnits = [...share.values()].some(([start, end]) => start === end);
    for (const { name } of factored.graph.inputs)
      if (this.isEmpty(factored.values.get(name)!)) this.#absent.add(name);
    this.#active = factored.nodes.map((node, index) => this.#takesPart(node, index));
    this.lacksParts = this.#findsPartsMissing();
    this.#dropUnneeded();
  }

  /** Whether the rank runs the node. */
  isActive(node: number): boolean {
    return this.#active[node]!;
  }

  /** Whether the rank has nothing of a value, not even zeros. */
  isAbsent(value: string): boolean {
    return this.#absent.has(value);
  }

  /**
   * Whether the rank reads input `slot` of a node: when it runs the node, or later, as a parameter that it adds to the
   * sum. A rank that contributes zeros instead of running the node does the latter too.
   */
  reads(node: number, slot: number): boolean {
    const factored = this.#factored.nodes[node]!;
    const isParameter = this.#factored.graph.weights.has(factored.operator.node.inputs[slot]!);
    if (isParameter && this.#isLate(factored, slot)) return true;
    return this.isActive(node) && !this.dropsAddend(factored, slot);
  }

  /** Whether input `slot` is an addend that counts on another rank, or later. */
  dropsAddend(node: FactoredNode, slot: number): boolean {
    return this.#isLate(node, slot) || (this.#rank !== 0 && countsOnce(node, slot, this.#placement));
  }

  #isLate({ operator }: FactoredNode, slot: number): boolean {
    const { inputs, outputs } = operator.node;
    return inputs[slot] !== "" && this.#late.leftOut.get(outputs[0]!) === inputs[slot];
  }

  isEmpty(dims: readonly Dim[]): boolean {
    if (!this.#lacksUnits) return false;
    return dims.some((dim) => isSharded(dim, this.#share) && localSize(dim, this.#share)[0] === 0);
  }

  #takesPart(factored: FactoredNode, index: number): boolean {
    const { operator, inputs, outputs } = factored;
    const { node } = operator;
    if (this.#placement.gathered.has(node.outputs[0]!)) {
      // Every rank takes part in the collective; one without a share contributes an empty one.
      const [part] = node.inputs as [string];
      if (this.isEmpty(inputs[0]!)) this.zeros.set(index, [part]);
      else if (this.#absent.has(part)) this.#missingParts.add(part);
      this.#absent.delete(part);
      return true;
    }
    const lacks = node.inputs.some(
      (name, slot) =>
        name !== "" &&
        (this.#absent.has(name) || this.isEmpty(inputs[slot]!)) &&
        !this.dropsAddend(factored, slot),
    );
    if (!lacks && !outputs.some((dims) => this.isEmpty(dims))) return true;
    const owed = node.outputs.filter(
      (name, slot) => name !== "" && this.#placement.partial.has(name) && !this.isEmpty(outputs[slot]!),
    );
    if (owed.length > 0) this.zeros.set(index, owed);
    for (const name of node.outputs) if (name !== "" && !owed.includes(name)) this.#absent.add(name);
    return false;
  }

  #findsPartsMissing(): boolean {
    if (!this.#lacksUnits) return false;
    const { graph, nodes, symbols, values } = this.#factored;
    const isSized = (name: string): boolean =>
      values.get(name)!.every((dim) => sizeProduct(localSize(dim, this.#share), symbols) !== undefined);
    if (![...this.zeros.values()].flat().every(isSized)) return true;
    const isMissing = (name: string): boolean => this.#absent.has(name) && !this.isEmpty(values.get(name)!);
    // Other ranks keep the cache rows that it does not need.
    const given = givenOutputs(graph);
    const added = [...this.#late.ofSum.values()].flatMap(({ value }) => value ?? []);
    // What it adds to a sum must not be units of its own, which are in no other rank's part, or something that it
    // already contributes.
    const owing = [...this.zeros.keys()].flatMap((index) => nodes[index]!.operator.node.inputs);
    const summed = owing.filter((name) => values.get(name)?.some((dim) => isSharded(dim, this.#share)));
    const { partial, paid } = this.#placement;
    const losesShare = owing.some((name) => partial.has(name) && !paid.has(name) && !this.#absent.has(name));
    return losesShare || [...given, ...added, ...summed].some(isMissing) || this.#missingParts.size > 0;
  }

  #dropUnneeded(): void {
    const needed = neededFor(
      this.#factored,
      this.#placement,
      (node, slot) => this.reads(node, slot),
      [...this.#late.ofSum.values()].flatMap(({ value }) => value ?? []),
    );
    for (const [index, { operator }] of this.#factored.nodes.entries())
      this.#active[index] &&= operator.node.outputs.some((name) => needed.has(name));
    for (const [index, values] of this.zeros) {
      const kept = values.filter((name) => needed.has(name));
      if (kept.length > 0) this.zeros.set(index, kept);
      else this.zeros.delete(index);
    }
    for (const { past, present } of keptStates(this.#factored.graph))
      if (!needed.has(past)) for (const name of [past, present]) this.#absent.add(name);
  }
}
