import { keptStates } from "@ringrank/model";
import { type Dim, type Factor, leavesOf } from "../factors/factor.js";
import { operatorName } from "../graph/operator-name.js";
import { attentionRules } from "../rules/operators/attention.js";
import { recurrenceRules } from "../rules/operators/recurrences.js";
import { isStatic } from "../shapes/size-pair.js";
import type { FactoredGraph, FactoredNode } from "./factored-graph.js";
import type { RoutedExperts } from "./routed-experts.js";

export type RoleLabel = "experts" | "heads" | "groups" | "lanes" | "table rows" | "vocabulary" | "width";

/** Operators that define their heads explicitly. */
const headRules = { ...attentionRules, ...recurrenceRules };

const lookups: ReadonlySet<string> = new Set(["Gather", "GatherBlockQuantized"]);

/**
 * Names for factors, derived from the operators that they reach, so that a table is readable. Nothing is decided by
 * them.
 */
export class Labels {
  readonly #experts: ReadonlySet<Factor>;
  readonly #tableRows = new Set<Factor>();
  readonly #heads = new Set<Factor>();
  readonly #lanes = new Set<Factor>();
  readonly #vocabulary = new Set<Factor>();
  readonly #groups = new Set<Factor>();

  constructor(factored: FactoredGraph, experts: readonly RoutedExperts[]) {
    const { graph, nodes, values } = factored;
    this.#experts = new Set(experts.map(({ experts }) => experts));
    const fixed = fixedValues(factored);
    const states = new Set(keptStates(graph).map(({ present }) => present));
    const cached = new Set([...states].flatMap((name) => (values.get(name) ?? []).flatMap(leavesOf)));
    for (const node of nodes) {
      const { opType } = node.operator.node;
      if (lookups.has(opType)) addAll(this.#tableRows, node.contracted.flatMap(leavesOf));
      if (opType === "Softmax") this.#readScores(node.inputs[0]!.flatMap(leavesOf), cached);
      if (Object.hasOwn(headRules, operatorName(node.operator.node))) this.#readHeads(node.cut);
      // Scores, and products with values: any factor that is not a head there is a lane of one.
      if (multipliesActivations(node, fixed)) addAll(this.#lanes, node.inputs.flat().flatMap(leavesOf));
    }
    for (const { name } of graph.outputs) {
      if (!states.has(name)) addAll(this.#vocabulary, leavesOf(values.get(name)?.at(-1) ?? []));
    }
  }

  /** Heads, how many of them share a key head, and separable lanes. */
  #readHeads([heads = [], groups = [], lanes]: readonly Dim[]): void {
    const shared = leavesOf(heads);
    addAll(this.#heads, shared.length > 0 ? shared : leavesOf(groups));
    addAll(this.#groups, leavesOf(groups));
    addAll(this.#lanes, leavesOf(lanes ?? []));
  }

  /** Query heads next to cached heads are groups of those. */
  #readScores(leaves: readonly Factor[], cached: ReadonlySet<Factor>): void {
    const fixed = leaves.filter(({ size }) => isStatic(size));
    const grouped = fixed.some((factor) => cached.has(factor));
    addAll(this.#heads, grouped ? fixed.filter((factor) => cached.has(factor)) : fixed);
    if (grouped)
      addAll(
        this.#groups,
        fixed.filter((factor) => !cached.has(factor)),
      );
  }

  of(factor: Factor): RoleLabel {
    if (this.#experts.has(factor)) return "experts";
    if (this.#tableRows.has(factor)) return "table rows";
    if (this.#heads.has(factor)) return "heads";
    if (this.#groups.has(factor)) return "groups";
    if (this.#lanes.has(factor)) return "lanes";
    return this.#vocabulary.has(factor) ? "vocabulary" : "width";
  }
}

/** A product of two computed values, not a projection by a weight, transposed or not. */
function multipliesActivations(
  { operator, inputs, contracted }: FactoredNode,
  fixed: ReadonlySet<string>,
): boolean {
  const summed = new Set(contracted.flatMap(leavesOf));
  return [0, 1].every((slot) => {
    const name = operator.node.inputs[slot];
    const isComputed = name !== undefined && !fixed.has(name);
    return isComputed && inputs[slot]!.flatMap(leavesOf).some((leaf) => summed.has(leaf));
  });
}

/** Names of weights, and of values computed from weights alone. */
function fixedValues({ graph, nodes }: FactoredGraph): Set<string> {
  const fixed = new Set(graph.weights.keys());
  for (const { node } of nodes.map(({ operator }) => operator)) {
    if (node.inputs.every((name) => name === "" || fixed.has(name))) addAll(fixed, node.outputs);
  }
  return fixed;
}

function addAll<T>(set: Set<T>, values: readonly T[]): void {
  for (const value of values) set.add(value);
}
