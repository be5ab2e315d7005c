import type { WeightUse } from "../analysis/roles.js";
import { weightBytes, wholeBytes } from "../decide/storage.js";
import { describeDim, type Factor, leavesOf } from "../factors/factor.js";
import { operatorName } from "../graph/operator-name.js";
import type { WeightPlacement } from "../partition-policy/partition-policy.js";
import type { Described } from "./described.js";
import { readingNode, sumsOver } from "./reading-node.js";
import { whyNotSharded } from "./why-not-sharded.js";

/** The placement of each parameter, by name. */
export function describeWeights(described: Described): Record<string, WeightPlacement> {
  const placements: Record<string, WeightPlacement> = Object.create(null);
  for (const [name, uses] of described.uses) placements[name] = describeWeight(uses, described);
  return placements;
}

function describeWeight(uses: readonly WeightUse[], described: Described): WeightPlacement {
  const { factored, found, plan } = described;
  const { weight, dims } = uses[0]!;
  const common = {
    type: weight.type,
    dims: weight.dims,
    structure: dims.map(describeDim).join(" × "),
    bytes: wholeBytes(weight),
    bytesPerRank: plan.shares.map((share, rank) =>
      weightBytes(
        uses.filter(({ node, slot }) => plan.views[rank]!.reads(node, slot)),
        share,
      ),
    ),
  };
  const sharding = uses.map((use) => shardedAxis(use, described)).find((axis) => axis !== undefined);
  if (sharding === undefined)
    return { ...common, placement: "replicated", reason: whyReplicated(uses, described) };
  const { use, axis, factor } = sharding;
  const reading = readingNode(factored, use);
  const isContracted = sumsOver(reading, (leaf) => leaf === factor);
  const id = ownerOf(factor, described);
  const { label } = found.roles[id]!;
  const operator = operatorName(reading.node.operator.node);
  const [placement, reason] = isContracted
    ? (["row-parallel", `${operator} sums over its ${label}, so each rank gives a partial sum`] as const)
    : (["column-parallel", `${operator} computes its ${label} separately`] as const);
  return { ...common, placement, axis, factor: id, reason };
}

function shardedAxis(
  use: WeightUse,
  { plan }: Described,
): { use: WeightUse; axis: number; factor: Factor } | undefined {
  const share = plan.shares[0]!;
  for (const [axis, dim] of use.dims.entries()) {
    const factor = leavesOf(dim).find((leaf) => share.has(leaf));
    if (factor !== undefined) return { use, axis, factor };
  }
  return undefined;
}

/** The chosen role that a sharded factor belongs to: its own, or the one it divides further. */
function ownerOf(factor: Factor, { found, plan }: Described): number {
  const owner = plan.roles.find(
    ({ factors, within }) => factors.includes(factor) || [...(within?.values() ?? [])].includes(factor),
  )!;
  return found.roles.indexOf(owner);
}

function whyReplicated(uses: readonly WeightUse[], described: Described): string {
  const { roleOf, plan } = described;
  if (plan.shares.length === 1) return "there is one rank";
  const leaves = uses.flatMap(({ dims }) => dims.flatMap(leavesOf));
  const reasons = new Set(
    leaves.flatMap(({ whole }) => (whole === undefined ? [] : [`${whole.why} by ${whole.operator}`])),
  );
  for (const leaf of leaves) {
    const role = roleOf.get(leaf);
    if (role !== undefined) reasons.add(whyNotSharded(role, described));
  }
  return reasons.size === 0 ? "has a single element" : [...reasons].join("; ");
}
