import type { Interval } from "@ringrank/model/weights";
import type { Role } from "../analysis/roles.js";
import type { Factor } from "../factors/factor.js";
import type { RankShare } from "../factors/shard.js";
import { deal } from "./deal.js";

/** The share of every rank of every factor of the chosen roles. */
export function sharesOf(chosen: readonly Role[], ranks: number): RankShare[] {
  const shares = Array.from({ length: ranks }, () => new Map<Factor, Interval>());
  for (const role of chosen) {
    const companions = ranks > role.units ? role.within : undefined;
    const undivided = deal(role.units, 1, ranks);
    for (const factor of role.factors) {
      const companion = companions?.get(factor);
      const hands = companion === undefined ? undivided : deal(role.units, companion.size[0], ranks);
      hands.forEach((hand, rank) => {
        shares[rank]!.set(factor, hand.units);
        if (companion !== undefined) shares[rank]!.set(companion, hand.within);
      });
    }
  }
  return shares;
}

/**
 * The share of a rank if units could be cut, for comparing plans. 6 heads on 4 ranks count as a quarter each. So do 4
 * heads on 8 ranks, since half of the ranks would have none.
 */
export function evenShareOf(chosen: readonly Role[], ranks: number): RankShare {
  const share = new Map<Factor, Interval>();
  for (const role of chosen) {
    const companions = ranks > role.units ? role.within : undefined;
    const ways = Math.min(ranks, role.units);
    for (const factor of role.factors) {
      share.set(factor, [0, role.units / ways]);
      const companion = companions?.get(factor);
      if (companion === undefined) continue;
      const size = companion.size[0];
      share.set(companion, [0, size / Math.min(ranks / role.units, size)]);
    }
  }
  return share;
}
