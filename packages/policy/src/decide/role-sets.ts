import type { Conflicts } from "../analysis/conflicts.js";
import type { Role } from "../analysis/roles.js";
import type { Factor } from "../factors/factor.js";

/** Most sets that are all tried: models whose layers repeat have far fewer. */
const mostSets = 1024;

/** Sets that are kept of more than that. Each is planned, in a time that grows with the graph. */
const setsKept = 128;

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
 * other, as the graph meets them, and of more than {@link mostSets} the {@link setsKept} of the greatest gain are kept: a
 * beam search. Roles meet those near them in the graph, so what a set is worth later depends on its last few roles, and
 * sets that differ in these are among the kept. Any role may begin a set: one that comes late may be worth more than the
 * sets before it, all of which meet it.
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
    const others = meets[index]!;
    if (others.has(index)) continue;
    const gain = gainOf(role);
    const met = [...others].filter((other) => other < index);
    const apart = sets.filter((set) => !met.some((other) => has(set, other)));
    sets.push({ last: index, gain }, ...apart.map((rest) => ({ last: index, rest, gain: rest.gain + gain })));
    if (complete && sets.length <= mostSets) continue;
    complete = false;
    sets = sets.sort((a, b) => b.gain - a.gain).slice(0, setsKept);
  }
  return { sets: sets.map((set) => rolesOf(set, roles)), complete };
}

/** Roles that do not meet, by index: one more than another set, which many share. */
interface RoleSet {
  readonly last: number;
  /** All before the last. */
  readonly rest?: RoleSet;
  /** What sharding them is worth. */
  readonly gain: number;
}

/** Looks no further back than `role`: roles meet those near them, where a set may be of hundreds. */
function has(set: RoleSet, role: number): boolean {
  let at: RoleSet | undefined = set;
  while (at !== undefined && at.last > role) at = at.rest;
  return at?.last === role;
}

/** In the order in which the graph meets them. */
function rolesOf(set: RoleSet, roles: readonly Role[]): Role[] {
  const found: Role[] = [];
  for (let at: RoleSet | undefined = set; at !== undefined; at = at.rest) found.push(roles[at.last]!);
  return found.reverse();
}

/** By role: indices of those it meets, which may be its own. */
function meetings(roles: readonly Role[], conflicts: Conflicts): ReadonlySet<number>[] {
  const roleOf = new Map<Factor, number>(
    roles.flatMap(({ factors }, index) => factors.map((factor) => [factor, index])),
  );
  return roles.map(
    ({ factors }) =>
      new Set(factors.flatMap((factor) => [...conflicts.of(factor)].flatMap((one) => roleOf.get(one) ?? []))),
  );
}
