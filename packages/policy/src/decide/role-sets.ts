import type { Conflicts } from "../analysis/conflicts.js";
import type { Role } from "../analysis/roles.js";
import type { Factor } from "../factors/factor.js";

/** Most sets that are told apart by what their plans cost: some seconds' work for a graph of thousands of nodes. */
const mostSets = 1024;

export interface AdmissibleSets {
  readonly sets: readonly (readonly Role[])[];
  /** Whether these are all there are. */
  readonly complete: boolean;
}

/**
 * Sets of roles of which no two factors meet, the empty one excepted: what may be sharded together.
 *
 * Models repeat their layers, so they have 4 to 9 roles, and these are all sets there are. But their number may double
 * with each role, and where no layer is like another there are roles by the hundred. Then roles are added one after the
 * other, as the graph meets them, and of more than {@link mostSets} those of the greatest gain are kept: a beam search.
 * Roles meet those near them in the graph, so what a set is worth later depends on its last few roles, and sets that
 * differ in these are among the kept. Any role may begin a set: one that comes late may be worth
 * more than the sets before it, all of which meet it.
 *
 * @param gainOf what sharding one role alone is worth; gains of roles that do not meet add up
 */
export function admissibleSets(
  roles: readonly Role[],
  conflicts: Conflicts,
  gainOf: (role: Role) => number,
): AdmissibleSets {
  const meets = meetings(roles, conflicts);
  let sets: RoleSet[] = [];
  let complete = true;
  for (const [index, role] of roles.entries()) {
    const others = meets.get(role)!;
    if (others.has(role)) continue;
    const gain = gainOf(role);
    // Few, where a set may be of hundreds.
    const met = roles.slice(0, index).filter((other) => others.has(other));
    const apart = sets.filter((set) => !met.some((other) => set.roles.includes(other)));
    sets.push(
      { roles: [role], gain },
      ...apart.map((set) => ({ roles: [...set.roles, role], gain: set.gain + gain })),
    );
    if (sets.length <= mostSets) continue;
    complete = false;
    sets = sets.sort((a, b) => b.gain - a.gain).slice(0, mostSets);
  }
  return { sets: sets.map(({ roles }) => roles), complete };
}

/** Roles that do not meet, and what sharding them is worth. */
interface RoleSet {
  readonly roles: readonly Role[];
  readonly gain: number;
}

/** By role: those it meets, which may be itself. */
function meetings(roles: readonly Role[], conflicts: Conflicts): Map<Role, ReadonlySet<Role>> {
  const roleOf = new Map<Factor, Role>(roles.flatMap((role) => role.factors.map((factor) => [factor, role])));
  const metBy = (role: Role): ReadonlySet<Role> =>
    new Set(
      role.factors.flatMap((factor) => [...conflicts.of(factor)].flatMap((one) => roleOf.get(one) ?? [])),
    );
  return new Map(roles.map((role) => [role, metBy(role)]));
}
