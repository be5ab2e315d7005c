import type { Role } from "../analysis/roles.js";
import type { Described } from "./described.js";

/** Why a role that could be sharded is not. */
export function whyNotSharded(role: Role, { plan, found }: Described): string {
  if (plan.shares.length === 1) return "there is one rank";
  const { conflicts } = found;
  const chosen = plan.roles.find((other) =>
    role.factors.some((factor) => other.factors.some((one) => conflicts.meet(factor, one))),
  );
  if (chosen !== undefined) return `meets the sharded ${chosen.label} in one tensor`;
  const first = role.factors[0]!;
  if (conflicts.meet(first, first)) return "meets itself in one tensor";
  return "sharding it too would save too little for the time it costs";
}
