import type { Conflicts } from "../analysis/conflicts.js";
import type { Role } from "../analysis/roles.js";
import type { Factor } from "../factors/factor.js";

/** Up to this many sets, all are tried; models that repeat their layers have far fewer. */
const mostSets = 1024;

/** How many sets are kept if there are more. Each is planned, in a time that grows with the graph. */
const setsKept = 128;

export interface AdmissibleSets {
  readonly sets: readonly (readonly Role[])[];
  /** Whether these are all the sets. */
  readonly complete: boolean;
}

/**
 * The non-empty sets of roles of which no two factors meet: what may be sharded together.
 *
 * Models repeat their layers, so they have 4 to 9 roles, and all sets are tried. But the number of sets may double with
 * each role, and if no two layers are alike, there are hundreds of roles. Roles are then added one after the other, in
 * the order in which they occur in the graph, and of more than {@link mostSets} sets, the {@link setsKept} with the
 * greatest gain are kept: a beam search. Roles meet those near them in the graph, so the future value of a set depends
 * on its last few roles, and sets that differ in these are among those kept. Any role may start a set: a late one may
 * be worth more than the sets before it, all of which meet it.
 *
 * @param gainOf the gain of sharding one role alone, a finite number; gains of roles that do not meet add up
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

/** Roles that do not meet, by index: another set, which many sets share, plus one role. */
interface RoleSet {
  readonly last: number;
  /** All roles before the last. */
  readonly rest?: RoleSet;
  /** The gain of sharding them. */
  readonly gain: number;
}

/** Looks no further back than `role`: roles meet those near them, and a set may have hundreds. */
function has(set: RoleSet, role: number): boolean {
  let at: RoleSet | undefined = set;
  while (at !== undefined && at.last > role) at = at.rest;
  return at?.last === role;
}

/** In the order in which they occur in the graph. */
function rolesOf(set: RoleSet, roles: readonly Role[]): Role[] {
  const found: Role[] = [];
  for (let at: RoleSet | undefined = set; at !== undefined; at = at.rest) found.push(roles[at.last]!);
  return found.reverse();
}

/** By role: the indices of the roles that it meets, possibly including its own. */
function meetings(roles: readonly Role[], conflicts: Conflicts): ReadonlySet<number>[] {
  const roleOf = new Map<Factor, number>(
    roles.flatMap(({ factors }, index) => factors.map((factor) => [factor, index])),
  );
  return roles.map(
    ({ factors }) =>
      new Set(factors.flatMap((factor) => [...conflicts.of(factor)].flatMap((one) => roleOf.get(one) ?? []))),
  );
}
