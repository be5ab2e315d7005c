import { RingrankError } from "@ringrank/errors";
import { elementCount } from "@ringrank/model/weights";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import { isParameter, type Role, type Roles, type WeightUse } from "../analysis/roles.js";
import { leavesOf } from "../factors/factor.js";
import type { RankShare } from "../factors/shard.js";
import { type Cost, costOf, type ReferenceStep, referenceStep, secondsOfCollective } from "./cost.js";
import { findLateAddends, type LateAddends } from "./late-addends.js";
import type { Objective } from "./objective.js";
import { type Placement, place } from "./placement.js";
import { RankView } from "./rank-view.js";
import { RoleGains } from "./role-gains.js";
import { type AdmissibleSets, admissibleSets } from "./role-sets.js";
import { evenShareOf, sharesOf } from "./share.js";
import { bytesKept, parameterUses, wholeBytes } from "./storage.js";
import { UnreadExperts } from "./unread-experts.js";

export interface Limits {
  readonly ranks: number;
  readonly objective: Objective;
  /** The most parameter bytes that a rank may hold. */
  readonly memoryPerRank: number;
}

/** One choice of roles, carried through. */
export interface Plan {
  readonly roles: readonly Role[];
  readonly shares: readonly RankShare[];
  readonly placement: Placement;
  readonly lateAddends: LateAddends;
  readonly views: readonly RankView[];
  /** Parameter bytes that each rank holds. */
  readonly bytesPerRank: readonly number[];
  readonly cost: Cost;
  /** The step that the cost is predicted for. */
  readonly step: ReferenceStep;
}

/** Plans this close to the least memory are told apart by time. */
const closeEnough = 1.05;

export function decide(factored: FactoredGraph, found: Roles, limits: Limits): Plan {
  const planner = new Planner(factored, found, limits.ranks);
  const { sets, complete } = planner.choices(limits.objective);
  if (sets.length === 0) throw nothingSharded(limits, found);
  const best = planner.best(sets, limits);
  if (best !== undefined) return planner.finish(best);
  const least = Math.min(...sets.map((roles) => planner.draft(roles).fullest));
  if (least > limits.memoryPerRank) throw noneFits(limits, least, complete);
  // If sets were left out, all that were kept may share one role that no plan can shard.
  const others = complete ? [] : planner.choices(limits.objective, planner.rolesAlone()).sets;
  const next = planner.best(others, limits);
  if (next === undefined) throw nothingSharded(limits, found);
  return planner.finish(next);
}

/** The plan that shards exactly `roles`. */
export function planFor(factored: FactoredGraph, found: Roles, roles: readonly Role[], ranks: number): Plan {
  const planner = new Planner(factored, found, ranks);
  if (!planner.isAdmissible(roles)) throw meeting(roles, found);
  const placed = planner.place(planner.draft(roles));
  if (placed === undefined) {
    const which = roles.map((role) => nameOf(role, found)).join(", ");
    throw new RingrankError(
      "RR_POLICY",
      `the policy shards ${which}, of which some have too few units for ${ranks} ranks, or leave sums of float64 ` +
        "or 64-bit integers; shard fewer of them, or plan this graph again",
    );
  }
  return planner.finish(placed);
}

/** @param roles of which two meet, or one meets itself */
function meeting(roles: readonly Role[], found: Roles): RingrankError {
  const { conflicts } = found;
  const meets = (one: Role, other: Role): boolean =>
    one.factors.some((factor) => other.factors.some((its) => conflicts.meet(factor, its)));
  const [first, second] = roles.flatMap((one, at) => {
    const other = roles.slice(at).find((next) => meets(one, next));
    return other === undefined ? [] : [[one, other] as const];
  })[0]!;
  const [one, other] = [first, second].map((role) => nameOf(role, found));
  const what = first === second ? `${one}, which meets itself` : `${one} and ${other}, which meet`;
  return new RingrankError(
    "RR_POLICY",
    `the policy shards ${what} in one tensor; shard ${first === second ? "others" : "one of them"}, or plan this ` +
      "graph again",
  );
}

/** As in the policy's JSON and its table: `factor 1 (heads)`. */
function nameOf(role: Role, { roles }: Roles): string {
  return `factor ${roles.indexOf(role)} (${role.label})`;
}

/** A choice of roles before its sums have been placed. */
interface Draft {
  readonly roles: readonly Role[];
  readonly shares: readonly RankShare[];
  /** Parameter bytes on the rank that holds most; fewer if addends count once. */
  readonly fullest: number;
}

interface PlacedDraft extends Draft {
  readonly placement: Placement;
  readonly cost: Cost;
}

class Planner {
  readonly #factored: FactoredGraph;
  readonly #found: Roles;
  readonly #ranks: number;
  readonly #weights;
  readonly #step: ReferenceStep;
  readonly #unreadExperts: UnreadExperts;

  constructor(factored: FactoredGraph, found: Roles, ranks: number) {
    this.#factored = factored;
    this.#found = found;
    this.#ranks = ranks;
    this.#weights = parameterUses(found.uses);
    this.#step = referenceStep(factored);
    this.#unreadExperts = new UnreadExperts(factored, found);
  }

  /** The sets of roles to compare. With more than one rank, sharding nothing would be a silent copy. */
  choices(objective: Objective, roles = this.#found.roles): AdmissibleSets {
    if (this.#ranks === 1) return { sets: [[]], complete: true };
    const gains = new RoleGains(this.#factored, this.#found, this.#weights, this.#step, this.#ranks);
    const gainOf = (role: Role): number => (objective === "memory" ? gains.bytes(role) : gains.seconds(role));
    return admissibleSets(roles, this.#found.conflicts, gainOf);
  }

  /** Roles that can be sharded without any other. */
  rolesAlone(): Role[] {
    return this.#found.roles.filter(
      (role) => this.isAdmissible([role]) && this.place(this.draft([role])) !== undefined,
    );
  }

  /** The best plan that shards one of these sets; undefined if none can be run, or fits into memory. */
  best(sets: AdmissibleSets["sets"], { objective, memoryPerRank }: Limits): PlacedDraft | undefined {
    const candidates = sets.map((roles) => ({ roles, evenBytes: this.evenBytes(roles) }));
    candidates.sort((a, b) => a.evenBytes - b.evenBytes);
    // Smallest first, so the bound holds once a plan has turned out to be admissible.
    let best: PlacedDraft | undefined;
    let bound = Number.POSITIVE_INFINITY;
    for (const { roles, evenBytes } of candidates) {
      if (evenBytes > bound) break;
      const draft = this.draft(roles);
      const placed = draft.fullest <= memoryPerRank ? this.place(draft) : undefined;
      if (placed === undefined) continue;
      if (objective === "memory" && best === undefined) bound = evenBytes * closeEnough;
      if (best === undefined || placed.cost.secondsPerToken < best.cost.secondsPerToken) best = placed;
    }
    return best;
  }

  isAdmissible(roles: readonly Role[]): boolean {
    const { conflicts } = this.#found;
    const factors = new Set(roles.flatMap((role) => role.factors));
    for (const factor of factors)
      for (const other of conflicts.of(factor)) if (factors.has(other)) return false;
    return true;
  }

  draft(roles: readonly Role[]): Draft {
    const shares = sharesOf(roles, this.#ranks);
    const fullest = Math.max(...shares.map((share) => bytesKept(this.#weights, share)));
    return { roles, shares, fullest };
  }

  /** Parameter bytes per rank if units could be cut. */
  evenBytes(roles: readonly Role[]): number {
    return bytesKept(this.#weights, evenShareOf(roles, this.#ranks));
  }

  place(draft: Draft): PlacedDraft | undefined {
    const chosen = new Set(draft.shares.flatMap((share) => [...share.keys()]));
    const placement = place(this.#factored, chosen, (value) =>
      secondsOfCollective(this.#step.bytesOf(value)),
    );
    if (placement === undefined || this.#lacksParts(draft, placement)) return undefined;
    const bytesRead = draft.fullest - this.#unreadExperts.bytes(draft.shares[0]!);
    return { ...draft, placement, cost: costOf(bytesRead, placement, this.#step.bytesOf) };
  }

  finish({ roles, shares, placement, cost }: PlacedDraft): Plan {
    const lateAddends = findLateAddends(this.#factored, placement);
    const views = this.#views(shares, placement, lateAddends);
    const bytesPerRank = shares.map((share, rank) =>
      bytesKept(this.#weights, share, ({ node, slot }) => views[rank]!.reads(node, slot)),
    );
    return { roles, shares, placement, lateAddends, views, bytesPerRank, cost, step: this.#step };
  }

  /** Whether a rank has no units of a factor, but others still depend on its part. */
  #lacksParts({ shares }: Draft, placement: Placement): boolean {
    // This takes as long as placing sums, and hardly any plan has such a rank.
    const lackUnits = shares.some((share) => [...share.values()].some(([start, end]) => start === end));
    if (!lackUnits) return false;
    const late = findLateAddends(this.#factored, placement);
    return this.#views(shares, placement, late).some(({ lacksParts }) => lacksParts);
  }

  #views(shares: readonly RankShare[], placement: Placement, late: LateAddends): RankView[] {
    return shares.map((share, rank) => new RankView(this.#factored, placement, late, share, rank));
  }
}

/** @param complete whether all partitions have been tried */
function noneFits({ ranks, memoryPerRank }: Limits, least: number, complete: boolean): RingrankError {
  return new RingrankError(
    "RR_MEMORY",
    `no partition over ${ranks} ranks holds at most ${memoryPerRank} bytes of weights per rank; the ` +
      `least ${complete ? "possible" : "found"} is ${least}. Use more ranks, or allow more bytes.`,
  );
}

function nothingSharded({ ranks }: Limits, { roles, uses }: Roles): RingrankError {
  const why =
    roles.length === 0
      ? `every factor of every weight is needed whole: ${wholeReasons(uses)}`
      : "the factors that could be sharded meet in one tensor, or in one sum with factors that could " +
        "not, have too few units, or leave sums of float64 or 64-bit integers";
  return new RingrankError(
    "RR_NOTHING_SHARDED",
    `nothing in this model can be sharded over ${ranks} ranks, so they would only run ${ranks} copies: ${why}. Use ranks: 1.`,
  );
}

/** The reasons why weights are needed whole, those of most bytes first, at most three. */
function wholeReasons(uses: Roles["uses"]): string {
  const bytes = new Map<string, number>();
  for (const { weight, dims } of uses) {
    if (!isParameter(weight)) continue;
    const size = wholeBytes(weight);
    const reasons = dims.flatMap(leavesOf).flatMap(({ whole }) => (whole === undefined ? [] : [whole]));
    for (const reason of new Set(reasons.map(({ why, operator }) => `${why} by ${operator}`)))
      bytes.set(reason, (bytes.get(reason) ?? 0) + size);
  }
  const most = [...bytes].sort(([, a], [, b]) => b - a).map(([reason]) => reason);
  if (most.length === 0) {
    const isInline = ({ weight }: WeightUse): boolean =>
      !isParameter(weight) && weight.type.includes("float") && elementCount(weight.dims) > 1;
    return uses.some(isInline)
      ? "all of its weights are constants inside the graph (inline), which every rank has"
      : "it has no weight of more than one element";
  }
  return most.slice(0, 3).join("; ") + (most.length > 3 ? "; and others" : "");
}
