import type { Weight } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";
import { appendTo } from "../append-to.js";
import { type Dim, describeDim, type Factor, leavesOf, partsOf, resolve } from "../factors/factor.js";
import { operatorName } from "../graph/operator-name.js";
import { isGather } from "../lowering/own-domain.js";
import { isOne, isStatic } from "../shapes/size-pair.js";
import { Conflicts } from "./conflicts.js";
import type { FactoredGraph } from "./factored-graph.js";
import { givenOutputs } from "./given-outputs.js";
import { Labels, type RoleLabel } from "./labels.js";
import { findRoutedExperts, type RoutedExperts } from "./routed-experts.js";

/** One place where a node reads a weight, with the factors of that use. */
export interface WeightUse {
  readonly name: string;
  readonly weight: Weight;
  /** Index of the node in the graph, and its input slot. */
  readonly node: number;
  readonly slot: number;
  readonly dims: readonly Dim[];
}

/**
 * Factors that play the same part in different layers: they reach the same operators, in the same slots, on weights of
 * the same shapes. Layers repeat, so decisions are made by role: 4 to 9 roles per model, not two decisions per layer.
 */
export interface Role {
  readonly factors: readonly Factor[];
  /** Units of each factor. */
  readonly units: number;
  /**
   * For each factor, one that divides a unit further if there are more ranks than units: the group of query heads that
   * share a key head. Every product that contains it also contains the factor.
   */
  readonly within: ReadonlyMap<Factor, Factor> | undefined;
  /** The name of the role, for display: derived from the operators that its factors reach. */
  readonly label: RoleLabel;
}

export interface Roles {
  readonly roles: readonly Role[];
  readonly uses: readonly WeightUse[];
  /** By factor: the uses of parameters that hold it. */
  readonly holders: ReadonlyMap<Factor, readonly WeightUse[]>;
  readonly conflicts: Conflicts;
  /** Factors of parameters that may be sharded. */
  readonly candidates: ReadonlySet<Factor>;
  readonly experts: readonly RoutedExperts[];
  readonly labels: Labels;
}

export function findRoles(factored: FactoredGraph): Roles {
  const uses = weightUses(factored);
  const parameters = uses.filter(({ weight }) => isParameter(weight));
  const candidates = new Set<Factor>();
  for (const { dims } of parameters) {
    for (const factor of dims.flatMap(leavesOf)) {
      if (factor.whole === undefined && isStatic(factor.size) && !isOne(factor.size)) candidates.add(factor);
    }
  }
  const conflicts = new Conflicts(factored, candidates);
  const bySignature = new Map<string, Factor[]>();
  for (const [factor, signature] of signatures(parameters, candidates, factored)) {
    appendTo(bySignature, signature, factor);
  }
  const experts = findRoutedExperts(factored);
  const labels = new Labels(factored, experts);
  const sums = contractedFactors(factored);
  const joined = joinedValues(factored);
  const holders = usesByFactor(parameters);
  const roles = [...bySignature.values()].map((factors): Role => {
    return {
      factors,
      units: factors[0]!.size[0],
      within: findWithin(factors, { conflicts, holders, sums, joined }),
      label: labels.of(factors[0]!),
    };
  });
  return { roles, uses, holders, conflicts, candidates, experts, labels };
}

/** Parameters are in files; constants in the graph itself are too small to count. */
export function isParameter(weight: Weight): boolean {
  return weight.source.kind !== "inline";
}

function weightUses({ graph, nodes }: FactoredGraph): WeightUse[] {
  const uses: WeightUse[] = [];
  nodes.forEach(({ operator, inputs }, node) => {
    operator.node.inputs.forEach((name, slot) => {
      const weight = graph.weights.get(name);
      if (weight !== undefined) uses.push({ name, weight, node, slot, dims: inputs[slot]! });
    });
  });
  return uses;
}

/** For each candidate, the sorted set of places in which parameters have it. */
function signatures(
  uses: readonly WeightUse[],
  candidates: ReadonlySet<Factor>,
  { nodes }: FactoredGraph,
): Map<Factor, string> {
  const places = new Map<Factor, Set<string>>();
  for (const { dims, node, slot } of uses) {
    const shape = dims.map((dim) => describeDim(dim)).join("×");
    const operator = operatorName(nodes[node]!.operator.node);
    dims.forEach((dim, axis) => {
      for (const [factor, path] of leavesWithPath(dim, "")) {
        if (!candidates.has(factor)) continue;
        const known = places.get(factor) ?? new Set();
        known.add(`${operator}/${slot}/${shape}/${axis}${path}`);
        places.set(factor, known);
      }
    });
  }
  return new Map([...places].map(([factor, set]) => [factor, [...set].sort().join(" ")]));
}

function leavesWithPath(dim: Dim, path: string): [Factor, string][] {
  return resolve(dim).flatMap((factor, index): [Factor, string][] => {
    const here = `${path}.${index}`;
    const parts = partsOf(factor);
    if (parts === undefined) return [[factor, here]];
    return parts.flatMap((part, segment) => leavesWithPath(part, `${here}+${segment}`));
  });
}

/**
 * The companion of every factor of a role: of those that qualify, the one with the most elements of parameters.
 * Dividing factor and companion by one interval each must give every rank a box of every tensor, so the companion only
 * occurs in products with the factor. Every sum must run over both or neither, because ranks that share a unit would
 * otherwise count it twice. And whatever is assembled from the parts of all ranks must have both on one axis, along
 * which it is assembled.
 */
function findWithin(
  factors: readonly Factor[],
  { conflicts, holders, sums, joined }: Surroundings,
): Map<Factor, Factor> | undefined {
  const held = (factor: Factor): number =>
    holders.get(factor)!.reduce((sum, { weight }) => sum + elementCount(weight.dims), 0);
  const within = new Map<Factor, Factor>();
  for (const factor of factors) {
    const companions = [...conflicts.of(factor)].filter(
      (other) =>
        other !== factor &&
        conflicts.alwaysWith(other).has(factor) &&
        !conflicts.meet(other, other) &&
        sums.every((summed) => summed.has(factor) === summed.has(other)) &&
        joined.every((axes) => axes.every((axis) => !axis.has(other) || axis.has(factor))),
    );
    companions.sort((a, b) => held(b) - held(a));
    if (companions[0] === undefined) return undefined;
    within.set(factor, companions[0]);
  }
  return within;
}

/** What a factor's companion must be compatible with. */
interface Surroundings {
  readonly conflicts: Conflicts;
  /** By factor: the uses of parameters that hold it. */
  readonly holders: ReadonlyMap<Factor, readonly WeightUse[]>;
  /** What each sum runs over. */
  readonly sums: readonly ReadonlySet<Factor>[];
  /** By value that is assembled from the parts of all ranks, and by axis: its factors. */
  readonly joined: readonly (readonly ReadonlySet<Factor>[])[];
}

function usesByFactor(parameters: readonly WeightUse[]): Map<Factor, WeightUse[]> {
  const holders = new Map<Factor, WeightUse[]>();
  for (const use of parameters) {
    for (const factor of new Set(use.dims.flatMap(leavesOf))) appendTo(holders, factor, use);
  }
  return holders;
}

/** Values of which every rank has a part, and which are assembled: outputs, and gathered values. */
function joinedValues({ graph, nodes, values }: FactoredGraph): ReadonlySet<Factor>[][] {
  const gathered = nodes.flatMap(({ operator, inputs }) => (isGather(operator.node) ? [inputs[0]!] : []));
  const given = givenOutputs(graph).map((name) => values.get(name)!);
  return [...given, ...gathered].map((dims) => dims.map((dim) => new Set(leavesOf(dim))));
}

/** What each sum in the graph runs over. */
function contractedFactors({ nodes }: FactoredGraph): ReadonlySet<Factor>[] {
  return nodes
    .filter((node) => node.contracted.length > 0)
    .map((node) => new Set(node.contracted.flatMap(leavesOf)));
}
