import type { Analysis } from "../analysis/analyse.js";
import type { Limits, Plan } from "../decide/decide.js";
import { parameterUses, wholeBytes } from "../decide/storage.js";
import { type PolicyData, policyVersion } from "../partition-policy/partition-policy.js";
import { describeCollectives } from "./describe-collectives.js";
import { describeFactors } from "./describe-factors.js";
import { describeWeights } from "./describe-weights.js";
import { unruledOperators } from "./unruled-operators.js";
import { isPlannedReason } from "./why-not-sharded.js";

/**
 * A plan as data, with the reason for every decision in it.
 *
 * @param given for a policy that was read: its reasons for leaving factors whole, by id
 */
export function describePlan(
  analysis: Analysis,
  plan: Plan,
  { ranks, objective }: Limits,
  given: ReadonlyMap<number, string> = new Map(),
): PolicyData {
  const { factored, found, precision, fingerprint } = analysis;
  const uses = parameterUses(found.uses);
  const roleOf = new Map(
    found.roles.flatMap((role) => role.factors.map((factor) => [factor, role] as const)),
  );
  const leftWhole = new Set(found.roles.filter((_, id) => given.has(id) && !isPlannedReason(given.get(id)!)));
  const described = { factored, found, plan, uses, roleOf, leftWhole };
  return {
    version: policyVersion,
    graph: fingerprint,
    ranks,
    objective,
    precision,
    factors: describeFactors(described),
    weights: describeWeights(described),
    collectives: describeCollectives(described),
    bytesPerRank: plan.bytesPerRank,
    totalBytes: [...uses.values()].reduce((sum, [use]) => sum + wholeBytes(use!.weight), 0),
    predicted: {
      step: plan.step.name,
      secondsPerToken: plan.cost.secondsPerToken,
      collectiveBytesPerToken: plan.cost.collectiveBytesPerToken,
      allReducesPerToken: plan.cost.allReduces,
      allGathersPerToken: plan.cost.allGathers,
    },
    unruled: unruledOperators(described),
  };
}
