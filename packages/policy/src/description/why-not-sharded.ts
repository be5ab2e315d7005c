import type { Role } from "../analysis/roles.js";
import type { Described } from "./described.js";

/** Why planning leaves a role whole that could be sharded. */
const savesTooLittle = "sharding it too would save too little for the time it costs";

/** Whether a policy that was read gives planning's own reason; else somebody has edited it. */
export function isPlannedReason(reason: string): boolean {
  return reason.startsWith(savesTooLittle);
}

/** Why a role that could be sharded is not. */
export function whyNotSharded(role: Role, { plan, found, leftWhole }: Described): string {
  if (plan.shares.length === 1) return "there is one rank";
  const { conflicts } = found;
  const chosen = plan.roles.find((other) =>
    role.factors.some((factor) => other.factors.some((one) => conflicts.meet(factor, one))),
  );
  if (chosen !== undefined) return `meets the sharded ${chosen.label} in one tensor`;
  const first = role.factors[0]!;
  if (conflicts.meet(first, first)) return "meets itself in one tensor";
  return leftWhole.has(role) ? "the given policy leaves it whole" : savesTooLittle;
}
