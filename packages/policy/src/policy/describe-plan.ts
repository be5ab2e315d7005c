import type { GraphNode } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/propagate.js";
import { isParameter, type Role, type Roles, type WeightUse } from "../analysis/roles.js";
import type { Limits, Plan } from "../decide/decide.js";
import { parameterUses, weightBytes, wholeBytes } from "../decide/storage.js";
import { type Dim, describeDim, type Factor, leavesOf, resolve, sizeOf } from "../factors/factor.js";
import { isGather } from "../lowering/own-domain.js";
import type { Precision } from "../precision/precision.js";
import { operatorName } from "../rules/table.js";
import {
  type CollectiveData,
  type FactorDecision,
  type PolicyData,
  policyVersion,
  type UnruledOperator,
  type WeightPlacement,
} from "./partition-policy.js";

/**
 * A plan as data, with the reason for everything in it.
 *
 * @param graph its fingerprint
 */
export function describePlan(
  factored: FactoredGraph,
  found: Roles,
  plan: Plan,
  limits: Limits,
  precision: Precision,
  graph: string,
): PolicyData {
  const describer = new Describer(factored, found, plan);
  return {
    version: policyVersion,
    graph,
    ranks: limits.ranks,
    objective: limits.objective,
    precision,
    factors: found.roles.map((role, id) => describer.factor(role, id)),
    weights: describer.weights(),
    collectives: describer.collectives(),
    bytesPerRank: plan.bytesPerRank,
    totalBytes: describer.totalBytes,
    predicted: {
      step: plan.step.name,
      secondsPerToken: plan.cost.secondsPerToken,
      collectiveBytesPerToken: plan.cost.collectiveBytesPerToken,
      allReducesPerToken: plan.cost.allReduces,
      allGathersPerToken: plan.cost.allGathers,
    },
    unruled: describer.unruled(),
  };
}

class Describer {
  readonly #factored: FactoredGraph;
  readonly #found: Roles;
  readonly #plan: Plan;
  readonly #uses: ReadonlyMap<string, readonly WeightUse[]>;
  readonly #roleOf = new Map<Factor, number>();
  readonly totalBytes: number;

  constructor(factored: FactoredGraph, found: Roles, plan: Plan) {
    this.#factored = factored;
    this.#found = found;
    this.#plan = plan;
    this.#uses = parameterUses(found.uses);
    found.roles.forEach(({ factors }, id) => {
      for (const factor of factors) this.#roleOf.set(factor, id);
    });
    this.totalBytes = [...this.#uses.values()].reduce((sum, [use]) => sum + wholeBytes(use!.weight), 0);
  }

  factor(role: Role, id: number): FactorDecision {
    const first = role.factors[0]!;
    const companion = role.within?.get(first);
    const whyCompanion = this.#whyCompanion(first);
    const sharded = this.#plan.roles.includes(role);
    const group = this.#groupOf(first);
    return {
      id,
      label: role.label,
      count: role.factors.length,
      units: role.units,
      group: group?.size ?? 1,
      within: companion !== undefined && this.#plan.shares[0]!.has(companion) ? companion.size[0] : 1,
      sharded,
      perRank: sharded ? this.#plan.shares.map((share) => unitsHeld(share, first, companion)) : [],
      bytes: this.#bytesHolding(role),
      reason: [
        sharded ? this.#whySharded(role) : (whyCompanion ?? this.#whyNot(role)),
        ...(group === undefined ? [] : [`in groups of ${group.size} (${group.why})`]),
      ].join("; "),
    };
  }

  /**
   * Where a factor is one that was divided, because only some of its units end where something else does: how many of
   * what it counts are in one of its units, and why.
   */
  #groupOf(factor: Factor): { readonly size: number; readonly why: string } | undefined {
    const { holders, labels } = this.#found;
    const label = labels.of(factor);
    for (const { dims } of holders.get(factor)!) {
      for (const dim of dims) {
        const product = resolve(dim);
        const inside = product.slice(product.indexOf(factor) + 1);
        if (inside.length === product.length) continue;
        const end = inside.findIndex((one) => labels.of(one) !== label || one.whole === undefined);
        const grouped = end === -1 ? inside : inside.slice(0, end);
        const whole = grouped[0]?.whole;
        if (whole !== undefined) return { size: sizeOf(grouped)[0], why: `${whole.operator}: ${whole.why}` };
      }
    }
    return undefined;
  }

  weights(): Record<string, WeightPlacement> {
    const placements: Record<string, WeightPlacement> = Object.create(null);
    for (const [name, uses] of this.#uses) placements[name] = this.#weight(uses);
    return placements;
  }

  collectives(): CollectiveData[] {
    const { paid, largest, gathered } = this.#plan.placement;
    const reduced = [...paid].map((value): CollectiveData => {
      const [operation, what] = largest.has(value)
        ? (["max", "the largest of its share"] as const)
        : (["sum", "a sum over ranks"] as const);
      const reason = `${this.#producerOf(value)} leaves ${what}, needed whole by ${this.#readers(value)}`;
      return { kind: "allReduce", operation, value, bytes: this.#plan.step.bytesOf(value), reason };
    });
    const whole = [...gathered].map(([output, value]): CollectiveData => {
      const reason = `sharded by ${this.#producerOf(value)}, read whole by ${this.#readers(output)}, which has no rule`;
      return { kind: "allGather", value, bytes: this.#plan.step.bytesOf(output), reason };
    });
    return [...reduced, ...whole];
  }

  unruled(): UnruledOperator[] {
    const { gathered } = this.#plan.placement;
    return this.#factored.nodes.flatMap(({ operator, rule }, index): UnruledOperator[] => {
      if (rule !== undefined) return [];
      const { node } = operator;
      const held = this.#found.uses.filter((use) => use.node === index && isParameter(use.weight));
      const wholes = new Set(node.inputs.filter((name) => gathered.has(name)));
      return [
        {
          operator: operatorName(node),
          node: node.outputs.find((name) => name !== "") ?? "",
          weightBytes: held.reduce((sum, use) => sum + wholeBytes(use.weight), 0),
          gatheredBytes: [...wholes].reduce((sum, name) => sum + this.#plan.step.bytesOf(name), 0),
          lift: `a rule for ${operatorName(node)} in packages/policy/src/rules`,
        },
      ];
    });
  }

  #producerOf(value: string): string {
    const { wiring } = this.#factored;
    const producer = wiring.producer(value);
    return producer === undefined ? "the caller" : operatorName(wiring.node(producer));
  }

  #weight(uses: readonly WeightUse[]): WeightPlacement {
    const { shares } = this.#plan;
    const [first] = uses;
    const sharding = uses.map((use) => this.#shardedAxis(use)).find((axis) => axis !== undefined);
    const common = {
      type: first!.weight.type,
      dims: first!.weight.dims,
      structure: first!.dims.map(describeDim).join(" × "),
      bytes: wholeBytes(first!.weight),
      bytesPerRank: shares.map((share, rank) =>
        weightBytes(
          uses.filter(({ node, slot }) => this.#plan.views[rank]!.reads(node, slot)),
          share,
        ),
      ),
    };
    if (sharding === undefined)
      return { ...common, placement: "replicated", reason: this.#whyReplicated(uses) };
    const { use, axis, factor } = sharding;
    const node = this.#factored.nodes[use.node]!;
    const isContracted = node.contracted.some((dim) => leavesOf(dim).includes(factor));
    const id = this.#ownerOf(factor);
    const label = this.#found.roles[id]!.label;
    const operator = operatorName(node.operator.node);
    const reason = isContracted
      ? `${operator} sums over its ${label}, so each rank gives a partial sum`
      : `${operator} computes each of its ${label} apart`;
    return {
      ...common,
      placement: isContracted ? "row-parallel" : "column-parallel",
      axis,
      factor: id,
      reason,
    };
  }

  #shardedAxis(use: WeightUse): { use: WeightUse; axis: number; factor: Factor } | undefined {
    const share = this.#plan.shares[0]!;
    for (const [axis, dim] of use.dims.entries()) {
      const factor = leavesOf(dim).find((leaf) => share.has(leaf));
      if (factor !== undefined) return { use, axis, factor };
    }
    return undefined;
  }

  /** The chosen role that a sharded factor belongs to: its own, or the one it divides further. */
  #ownerOf(factor: Factor): number {
    const owner = this.#plan.roles.find(
      ({ factors, within }) => factors.includes(factor) || [...(within?.values() ?? [])].includes(factor),
    )!;
    return this.#found.roles.indexOf(owner);
  }

  /** Which of its weights lie by columns and which by rows, and what that costs, per occurrence. */
  #whySharded({ label, factors }: Role): string {
    const members = new Set(factors);
    const holding = (dims: readonly Dim[]): boolean =>
      dims.some((dim) => leavesOf(dim).some((leaf) => members.has(leaf)));
    let columns = 0;
    let rows = 0;
    for (const use of this.#usesHolding(factors)) {
      // Vectors (biases, norms) go along with the matrices.
      if (use.weight.dims.length < 2) continue;
      if (holding(this.#factored.nodes[use.node]!.contracted)) rows++;
      else columns++;
    }
    const each = (count: number): string => String(Math.round((100 * count) / factors.length) / 100);
    const every = factors.length === 1 ? "" : " each time";
    if (label === "table rows")
      return "a rank looks up the rows it has and owes zero for the others; 1 all-reduce";
    if (rows === 0) return `computed apart: ${each(columns)} by columns${every}; no all-reduce`;
    return (
      `computed apart: ${each(columns)} by columns, ${each(rows)} by rows${every}, which leaves a ` +
      "sum to all-reduce"
    );
  }

  #whyNot(role: Role): string {
    if (this.#plan.shares.length === 1) return "there is one rank";
    const chosen = this.#plan.roles.find((other) =>
      role.factors.some((factor) => other.factors.some((one) => this.#found.conflicts.meet(factor, one))),
    );
    if (chosen !== undefined) return `meets the sharded ${chosen.label} in one tensor`;
    const first = role.factors[0]!;
    if (this.#found.conflicts.meet(first, first)) return "meets itself in one tensor";
    return "sharding it too would save too little for the time it costs";
  }

  /** Undefined unless a factor divides the units of a chosen one further. */
  #whyCompanion(factor: Factor): string | undefined {
    const share = this.#plan.shares[0]!;
    if (!share.has(factor) || this.#plan.roles.some(({ factors }) => factors.includes(factor)))
      return undefined;
    return "divides further the units that ranks share";
  }

  #whyReplicated(uses: readonly WeightUse[]): string {
    if (this.#plan.shares.length === 1) return "there is one rank";
    const leaves = uses.flatMap(({ dims }) => dims.flatMap(leavesOf));
    const reasons = new Set(
      leaves.flatMap(({ whole }) => (whole === undefined ? [] : [`${whole.why} by ${whole.operator}`])),
    );
    for (const leaf of leaves) {
      const role = this.#roleOf.get(leaf);
      if (role !== undefined) reasons.add(this.#whyNot(this.#found.roles[role]!));
    }
    return reasons.size === 0 ? "has a single element" : [...reasons].join("; ");
  }

  #bytesHolding({ factors }: Role): number {
    const weights = new Map([...this.#usesHolding(factors)].map(({ name, weight }) => [name, weight]));
    return [...weights.values()].reduce((sum, weight) => sum + wholeBytes(weight), 0);
  }

  /** Each once, where several of the factors are in it. */
  #usesHolding(factors: readonly Factor[]): ReadonlySet<WeightUse> {
    return new Set(factors.flatMap((factor) => this.#found.holders.get(factor)!));
  }

  #readers(value: string): string {
    const names = new Set(this.#readersOf(value).map(operatorName));
    return names.size === 0 ? "the caller" : [...names].join(" and ");
  }

  /** A value that is made whole is read by those who read the whole. */
  #readersOf(value: string): readonly GraphNode[] {
    const readers = this.#factored.wiring.readers(value);
    return readers.flatMap((node) => (isGather(node) ? this.#readersOf(node.outputs[0]!) : [node]));
  }
}

function unitsHeld(
  share: ReadonlyMap<Factor, readonly [number, number]>,
  factor: Factor,
  companion: Factor | undefined,
): number {
  const [start, end] = share.get(factor)!;
  const within = companion === undefined ? undefined : share.get(companion);
  return (end - start) * (within === undefined ? 1 : within[1] - within[0]);
}
