import type { ConstantTensor, GraphNode, Weight } from "@ringrank/model";
import type { FactoredGraph, FactoredNode } from "../analysis/propagate.js";
import type { WeightUse } from "../analysis/roles.js";
import { isParameter } from "../analysis/roles.js";
import type { Placement } from "../decide/placement.js";
import { selectionOf } from "../decide/storage.js";
import type { Dim } from "../factors/factor.js";
import { countOf, isSharded, localIntervals, localSize, type RankShare } from "../factors/shard.js";
import type { Localization } from "../rules/rule.js";
import { countsAddend, dropAddends } from "./addends.js";
import type { WeightShard } from "./program.js";
import { sliceInline } from "./slice-inline.js";

/** What a rank runs instead of each node of the graph, before it is cut at the collectives. */
export interface LocalGraph {
  /** By node of the whole graph: the nodes that stand for it here; none where the rank has nothing to do. */
  readonly nodes: readonly (readonly GraphNode[])[];
  /** Parameter shards by local name. */
  readonly shards: ReadonlyMap<string, WeightShard>;
  /** Small constants by local name. */
  readonly constants: ReadonlyMap<string, Weight>;
  /** Values that this rank owes as zeros, by the node that would have produced them. */
  readonly zeros: ReadonlyMap<number, readonly string[]>;
  /** Local name of a value of the whole graph; undefined where this rank has nothing of it. */
  nameOf(value: string): string | undefined;
  /** Sizes here of a value of the whole graph. */
  readonly share: RankShare;
}

/**
 * Rewrites a graph for one rank: weights become shards, shapes spelt out in constants become local, and addends
 * that count once stay on rank 0. Where a rank has no units, the region that would work on them is left out, and
 * what it owes to a sum is zeros.
 */
export function localize(
  factored: FactoredGraph,
  uses: readonly WeightUse[],
  placement: Placement,
  share: RankShare,
  rank: number,
): LocalGraph {
  return new Localizer(factored, uses, placement, share, rank).run();
}

class Localizer {
  readonly #factored: FactoredGraph;
  readonly #placement: Placement;
  readonly #share: RankShare;
  readonly #rank: number;
  readonly #shards = new Map<string, WeightShard>();
  readonly #constants = new Map<string, Weight>();
  readonly #zeros = new Map<number, string[]>();
  /** Local names that differ from the value's own. */
  readonly #aliases = new Map<string, string>();
  /** Values of which this rank has nothing. */
  readonly #absent = new Set<string>();
  /** By node and slot: the local name of a weight there. */
  readonly #weightNames = new Map<string, string>();
  readonly #readers: ReadonlyMap<string, number>;
  #fresh = 0;

  constructor(
    factored: FactoredGraph,
    uses: readonly WeightUse[],
    placement: Placement,
    share: RankShare,
    rank: number,
  ) {
    this.#factored = factored;
    this.#placement = placement;
    this.#share = share;
    this.#rank = rank;
    this.#readers = countReaders(factored);
    const { inputs, values } = { inputs: factored.graph.inputs, values: factored.values };
    for (const { name } of inputs) if (this.#isEmpty(values.get(name)!)) this.#absent.add(name);
    this.#nameWeights(uses);
  }

  run(): LocalGraph {
    const nodes = this.#factored.nodes.map((node, index) => this.#node(node, index));
    return {
      nodes,
      shards: this.#shards,
      constants: this.#constants,
      zeros: this.#zeros,
      share: this.#share,
      nameOf: (value) => (this.#absent.has(value) ? undefined : this.#nameOf(value)),
    };
  }

  /** A weight read with one selection keeps its name; every further selection gets a name of its own. */
  #nameWeights(uses: readonly WeightUse[]): void {
    const variants = new Map<string, Map<string, string>>();
    for (const use of uses) {
      if (this.#isEmpty(use.dims)) continue;
      const selection = selectionOf(use, this.#share);
      const key = JSON.stringify(selection);
      const known = variants.get(use.name) ?? new Map<string, string>();
      variants.set(use.name, known);
      const name = known.get(key) ?? (known.size === 0 ? use.name : `${use.name}#${known.size}`);
      this.#weightNames.set(`${use.node}/${use.slot}`, name);
      if (known.has(key)) continue;
      known.set(key, name);
      const dims = selection.map(countOf);
      if (isParameter(use.weight)) this.#shards.set(name, { weight: use.weight, selection, dims });
      else this.#constants.set(name, sliceInline(use.weight, selection));
    }
  }

  #node(node: FactoredNode, index: number): readonly GraphNode[] {
    const { operator, rule, outputs } = node;
    const { inputs: names, outputs: results } = operator.node;
    const lacks = names.some((name, slot) => name !== "" && this.#lacks(name, node.inputs[slot]!));
    const yieldsNothing = outputs.some((dims) => this.#isEmpty(dims));
    if (lacks || yieldsNothing) {
      this.#leaveOut(node, index);
      return [];
    }
    const owes = results.some((name) => this.#placement.partial.has(name));
    if (owes && this.#rank !== 0 && countsAddend(node)) {
      const owed = (name: string): boolean =>
        this.#placement.partial.has(name) && !this.#placement.paid.has(name);
      const rest = dropAddends(node, owed, (slot) => this.#inputName(node, index, slot));
      if (rest.alias === undefined) return rest.nodes;
      if (this.#readers.get(rest.alias) === 1) {
        this.#aliases.set(results[0]!, this.#nameOf(rest.alias));
        return [];
      }
      return [
        {
          opType: "Identity",
          domain: "",
          inputs: [this.#nameOf(rest.alias)],
          outputs: [results[0]!],
          attributes: {},
        },
      ];
    }
    const local = this.#localization(node, index);
    if (rule?.localize !== undefined) return rule.localize(operator, local);
    return [{ ...operator.node, inputs: names.map((_, slot) => local.input(slot)) }];
  }

  /** The rank has no units of what this node works on: its sums are zeros, its other outputs absent. */
  #leaveOut({ operator, outputs }: FactoredNode, index: number): void {
    const owed = operator.node.outputs.filter(
      (name, slot) => name !== "" && this.#placement.partial.has(name) && !this.#isEmpty(outputs[slot]!),
    );
    if (owed.length > 0) this.#zeros.set(index, owed);
    for (const name of operator.node.outputs) if (name !== "" && !owed.includes(name)) this.#absent.add(name);
  }

  #lacks(name: string, dims: readonly Dim[]): boolean {
    return this.#absent.has(name) || this.#isEmpty(dims);
  }

  #isEmpty(dims: readonly Dim[]): boolean {
    return dims.some((dim) => isSharded(dim, this.#share) && localSize(dim, this.#share)[0] === 0);
  }

  #nameOf(value: string): string {
    return this.#aliases.get(value) ?? value;
  }

  #inputName({ operator }: FactoredNode, index: number, slot: number): string {
    const name = operator.node.inputs[slot];
    if (name === undefined || name === "") return "";
    return this.#weightNames.get(`${index}/${slot}`) ?? this.#nameOf(name);
  }

  #localization(node: FactoredNode, index: number): Localization {
    const share = this.#share;
    return {
      input: (slot) => this.#inputName(node, index, slot),
      output: (slot) => node.operator.node.outputs[slot] ?? "",
      inputDims: (slot) => node.inputs[slot] ?? [],
      outputDims: (slot) => node.outputs[slot] ?? [],
      size: (dim) => localSize(dim, share),
      isSharded: (dim) => isSharded(dim, share),
      cut: () => node.cut,
      start: (dim) => localIntervals(dim, share)[0]?.[0] ?? 0,
      constant: (tensor) => this.#constant(tensor),
      value: () => this.#freshName("v"),
    };
  }

  #constant(tensor: ConstantTensor): string {
    const name = this.#freshName("c");
    this.#constants.set(name, {
      type: tensor.type,
      dims: tensor.dims,
      source: { kind: "inline", data: tensor.data },
    });
    return name;
  }

  /** `·` keeps made names apart from any that a graph is likely to have; a clash is still looked for. */
  #freshName(kind: string): string {
    for (;;) {
      const name = `${kind}·${this.#fresh++}`;
      if (!this.#factored.values.has(name) && !this.#factored.graph.weights.has(name)) return name;
    }
  }
}

function countReaders({ graph, nodes }: FactoredGraph): Map<string, number> {
  const readers = new Map<string, number>();
  const add = (name: string): void => void readers.set(name, (readers.get(name) ?? 0) + 1);
  for (const { operator } of nodes) for (const name of operator.node.inputs) if (name !== "") add(name);
  for (const { name } of graph.outputs) add(name);
  return readers;
}
