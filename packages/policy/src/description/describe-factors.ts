import type { FactoredNode } from "../analysis/factored-graph.js";
import type { Role, Roles, WeightUse } from "../analysis/roles.js";
import { wholeBytes } from "../decide/storage.js";
import { type Factor, leavesOf, resolve, sizeOf } from "../factors/factor.js";
import type { RankShare } from "../factors/shard.js";
import type { FactorDecision } from "../partition-policy/partition-policy.js";
import type { Described } from "./described.js";
import { readingNode, sumsOver } from "./reading-node.js";
import { whyNotSharded } from "./why-not-sharded.js";

/** The decision for each role. */
export function describeFactors(described: Described): FactorDecision[] {
  return described.found.roles.map((role, id) => describeFactor(role, id, described));
}

function describeFactor(role: Role, id: number, described: Described): FactorDecision {
  const { found, plan } = described;
  const first = role.factors[0]!;
  const companion = role.within?.get(first);
  const sharded = plan.roles.includes(role);
  const group = groupOf(first, described);
  const reason = sharded
    ? whySharded(role, described)
    : (whyCompanion(first, described) ?? whyNotSharded(role, described));
  return {
    id,
    label: role.label,
    count: role.factors.length,
    units: role.units,
    group: group?.size ?? 1,
    within: companion !== undefined && plan.shares[0]!.has(companion) ? companion.size[0] : 1,
    sharded,
    perRank: sharded ? plan.shares.map((share) => unitsHeld(share, first, companion)) : [],
    bytes: bytesHolding(role, found),
    reason: group === undefined ? reason : `${reason}; in groups of ${group.size} (${group.why})`,
  };
}

function unitsHeld(share: RankShare, factor: Factor, companion: Factor | undefined): number {
  const [start, end] = share.get(factor)!;
  const within = companion === undefined ? undefined : share.get(companion);
  return (end - start) * (within === undefined ? 1 : within[1] - within[0]);
}

/**
 * If a factor was divided because only some of its units end where something else does: how many of the things it
 * counts form one unit, and why.
 */
function groupOf(
  factor: Factor,
  { found: { holders, labels } }: Described,
): { readonly size: number; readonly why: string } | undefined {
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

/** How many products by its weights are column-parallel and row-parallel, and what that costs, per occurrence. */
function whySharded(role: Role, { factored, found }: Described): string {
  const { label, factors } = role;
  if (label === "table rows")
    return "a rank looks up the rows it has and owes zero for the others; 1 all-reduce";
  const members = new Set(factors);
  const isMember = (leaf: Factor): boolean => members.has(leaf);
  // A quantized matrix and its scales are read by one node, and count once.
  const columns = new Set<FactoredNode>();
  const rows = new Set<FactoredNode>();
  for (const use of usesOf(role, found)) {
    // Vectors (biases, norms) go along with the matrices.
    if (use.weight.dims.length < 2) continue;
    const reading = readingNode(factored, use);
    (sumsOver(reading, isMember) ? rows : columns).add(reading.node);
  }
  const each = ({ size }: Set<FactoredNode>): string =>
    String(Math.round((100 * size) / factors.length) / 100);
  const byRows = rows.size === 0 ? "" : `, ${each(rows)} by rows`;
  const every = factors.length === 1 ? "" : " each time";
  // Experts are summed over by a node that reads no weight.
  const leavesSum = factored.nodes.some(({ contracted }) =>
    contracted.some((dim) => leavesOf(dim).some(isMember)),
  );
  const cost = leavesSum ? ", which leaves a sum to all-reduce" : "; no all-reduce";
  return `computed separately: ${each(columns)} by columns${byRows}${every}${cost}`;
}

/** Undefined unless a factor divides the units of a chosen one further. */
function whyCompanion(factor: Factor, { plan }: Described): string | undefined {
  if (!plan.shares[0]!.has(factor) || plan.roles.some(({ factors }) => factors.includes(factor)))
    return undefined;
  return "divides further the units that ranks share";
}

/** Bytes of the parameters that have a role. */
function bytesHolding(role: Role, found: Roles): number {
  const weights = new Map(usesOf(role, found).map(({ name, weight }) => [name, weight]));
  return [...weights.values()].reduce((bytes, weight) => bytes + wholeBytes(weight), 0);
}

/** Uses of parameters that have a role. */
function usesOf({ factors }: Role, { holders }: Roles): WeightUse[] {
  return [...new Set(factors.flatMap((factor) => holders.get(factor)!))];
}
