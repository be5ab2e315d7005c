import type { Role } from "../analysis/roles.js";
import type { Factor } from "../factors/factor.js";
import type { RankShare } from "../factors/shard.js";
import type { Interval } from "../program/program.js";
import { deal } from "./deal.js";

/** What every rank has of every factor of the chosen roles. */
export function sharesOf(chosen: readonly Role[], ranks: number): RankShare[] {
  const shares = Array.from({ length: ranks }, () => new Map<Factor, Interval>());
  for (const role of chosen) {
    const companions = ranks > role.units ? role.within : undefined;
    for (const factor of role.factors) {
      const companion = companions?.get(factor);
      deal(role.units, companion?.size[0] ?? 1, ranks).forEach((hand, rank) => {
        shares[rank]!.set(factor, hand.units);
        if (companion !== undefined) shares[rank]!.set(companion, hand.within);
      });
    }
  }
  return shares;
}
