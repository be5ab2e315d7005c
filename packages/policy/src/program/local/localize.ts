import type { ConstantTensor, DataType, GraphNode, Weight } from "@ringrank/model";
import { selectedDims, type WeightShard } from "@ringrank/model/weights";
import type { FactoredGraph, FactoredNode } from "../../analysis/factored-graph.js";
import { isParameter, type WeightUse } from "../../analysis/roles.js";
import type { RankView } from "../../decide/rank-view.js";
import { selectionOf } from "../../decide/storage.js";
import type { Dim } from "../../factors/factor.js";
import { isSharded, localIntervals, localSize, type RankShare } from "../../factors/shard.js";
import { inlineWeight } from "../../graph/constants.js";
import { FreshNames } from "../../graph/fresh-names.js";
import { makeNode } from "../../graph/make-node.js";
import type { Localization } from "../../rules/rule.js";
import type { LocalShape, LocalValues } from "./local-values.js";
import { sliceInline } from "./slice-inline.js";

/** What a rank runs instead of each node of the graph, before the graph is cut at the collectives. */
export interface LocalGraph {
  /** By node of the whole graph: the nodes that replace it here; none if the rank has nothing to do. */
  readonly nodes: readonly (readonly GraphNode[])[];
  /** Parameter shards by local name. */
  readonly shards: ReadonlyMap<string, WeightShard>;
  /** Small constants by local name. */
  readonly constants: ReadonlyMap<string, Weight>;
  /** Intermediate values that do not exist in the whole graph, by name. */
  readonly values: LocalValues;
  /** Local name of a value of the whole graph; undefined if this rank has nothing of it. */
  nameOf(value: string): string | undefined;
}

/**
 * Rewrites a graph for one rank: weights become shards, shapes in constants become local, and addends that count once
 * stay on rank 0.
 */
export function localize(
  factored: FactoredGraph,
  uses: readonly WeightUse[],
  view: RankView,
  share: RankShare,
): LocalGraph {
  return new Localizer(factored, uses, view, share).run();
}

class Localizer {
  readonly #factored: FactoredGraph;
  readonly #view: RankView;
  readonly #share: RankShare;
  readonly #shards = new Map<string, WeightShard>();
  readonly #constants = new Map<string, Weight>();
  readonly #values = new Map<string, LocalShape>();
  /** Local names that differ from the value's own. */
  readonly #aliases = new Map<string, string>();
  /** By node and slot: the local name of a weight there. */
  readonly #weightNames = new Map<string, string>();
  readonly #names: FreshNames;

  constructor(factored: FactoredGraph, uses: readonly WeightUse[], view: RankView, share: RankShare) {
    this.#factored = factored;
    this.#view = view;
    this.#share = share;
    const { values, graph } = factored;
    this.#names = new FreshNames((name) => values.has(name) || graph.weights.has(name));
    this.#nameWeights(uses.filter(({ node, slot }) => view.reads(node, slot)));
  }

  run(): LocalGraph {
    const nodes = this.#factored.nodes.map((node, index) =>
      this.#view.isActive(index) ? this.#node(node, index) : [],
    );
    return {
      nodes,
      shards: this.#shards,
      constants: this.#constants,
      values: this.#values,
      nameOf: (value) => (this.#view.isAbsent(value) ? undefined : this.#nameOf(value)),
    };
  }

  /** A weight that is read with one selection keeps its name; each further selection gets a name of its own. */
  #nameWeights(uses: readonly WeightUse[]): void {
    const variants = new Map<string, Map<string, string>>();
    for (const use of uses) {
      const selection = selectionOf(use, this.#share);
      const key = JSON.stringify(selection);
      const known = variants.get(use.name) ?? new Map<string, string>();
      variants.set(use.name, known);
      const name = known.get(key) ?? (known.size === 0 ? use.name : `${use.name}#${known.size}`);
      this.#weightNames.set(`${use.node}/${use.slot}`, name);
      if (known.has(key)) continue;
      known.set(key, name);
      const dims = selectedDims(selection);
      if (isParameter(use.weight)) this.#shards.set(name, { weight: use.weight, selection, dims });
      else this.#constants.set(name, sliceInline(use.weight, selection));
    }
  }

  #node(node: FactoredNode, index: number): readonly GraphNode[] {
    const { operator, rule } = node;
    const slots = operator.node.inputs.map((_, slot) => slot);
    const kept = slots.filter((slot) => !this.#view.dropsAddend(node, slot));
    if (kept.length < slots.length && rule?.addends === undefined)
      return this.#withoutAddends(node, index, kept);
    if (rule?.localize !== undefined) return rule.localize(operator, this.#localization(node, index));
    return [{ ...operator.node, inputs: slots.map((slot) => this.#inputName(node, index, slot)) }];
  }

  /** A sum with only the operands in `kept`. */
  #withoutAddends(node: FactoredNode, index: number, kept: readonly number[]): readonly GraphNode[] {
    const whole = node.operator.node;
    const inputs = kept.map((slot) => this.#inputName(node, index, slot));
    if (kept.length > 1) return [{ ...whole, inputs }];
    if (whole.opType === "Sub" && kept[0] === 1) return [makeNode("Neg", inputs, whole.outputs)];
    // Only one operand remains. The all-reduce works in place, so this operand can only replace the sum if nothing else
    // reads it, and outputs must keep their names for the caller.
    const { graph, wiring } = this.#factored;
    const isOutput = graph.outputs.some(({ name }) => name === whole.outputs[0]);
    if (!isOutput && wiring.soleReader(whole.inputs[kept[0]!]!) !== undefined) {
      this.#aliases.set(whole.outputs[0]!, inputs[0]!);
      return [];
    }
    return [makeNode("Identity", inputs, whole.outputs)];
  }

  #nameOf(value: string): string {
    return this.#aliases.get(value) ?? value;
  }

  /** `""` for an operand that is omitted, in the graph or because it counts on another rank. */
  #inputName(node: FactoredNode, index: number, slot: number): string {
    const name = node.operator.node.inputs[slot];
    if (name === undefined || name === "" || this.#view.dropsAddend(node, slot)) return "";
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
      value: (like) => this.#value(like),
    };
  }

  #value(like: { readonly type: DataType; readonly dims: readonly Dim[] } | undefined): string {
    const name = this.#names.numbered("v");
    if (like !== undefined) {
      const { type, dims } = like;
      this.#values.set(name, { type, dims: dims.map((dim) => localSize(dim, this.#share)) });
    }
    return name;
  }

  #constant(tensor: ConstantTensor): string {
    const name = this.#names.numbered("c");
    this.#constants.set(name, inlineWeight(tensor));
    return name;
  }
}
