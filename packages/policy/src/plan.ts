import { RingrankError } from "@ringrank/errors";
import type { Graph } from "@ringrank/model";
import { type Analysis, analyse } from "./analysis/analyse.js";
import type { Roles } from "./analysis/roles.js";
import { checkPlanOptions, checkProgramOptions, checkRanks, requireGraph } from "./check-options.js";
import { decide, type Limits, type Plan, planFor } from "./decide/decide.js";
import type { Objective } from "./decide/objective.js";
import { describePlan } from "./description/describe-plan.js";
import { PartitionPolicy, type PolicyData } from "./partition-policy/partition-policy.js";
import { readPolicyData } from "./partition-policy/read-policy.js";
import {
  type ActivationPrecision,
  describePrecision,
  precisionOf,
  type WeightPrecision,
} from "./precision/precision.js";
import { prepareGraph } from "./preparation/prepare-graph.js";
import { buildFromPlan } from "./program/build.js";
import type { RankProgram } from "./program/program.js";
import type { ProductKind } from "./program/stages/matrix-product.js";

export interface PlanOptions {
  /** The number of ranks, 1 to 64. */
  readonly ranks: number;
  /** Default `memory`. */
  readonly objective?: Objective | undefined;
  /** The most bytes of parameters that a rank may hold. Default: no limit. */
  readonly memoryPerRank?: number | undefined;
  /** The type that parameter matrices are held and computed in. Default `float32`. */
  readonly precision?: WeightPrecision | undefined;
  /** The type that activations are rounded to before they are multiplied with quantized matrices. Default `int8`. */
  readonly activations?: ActivationPrecision | undefined;
}

/**
 * Decides the partition policy of a graph, from operators and shapes alone.
 *
 * @throws RingrankError RR_RANKS: invalid number of ranks; RR_OPTION: another option is unknown or has an invalid
 * value; RR_NOTHING_SHARDED: there is more than one rank, and nothing can be sharded; RR_MEMORY: no plan fits
 * `memoryPerRank`; RR_GRAPH: malformed graph
 */
export function planGraph(graph: Graph, options: PlanOptions): PartitionPolicy {
  checkPlanOptions(options);
  requireGraph(graph);
  const limits: Limits = {
    ranks: options.ranks,
    objective: options.objective ?? "memory",
    memoryPerRank: options.memoryPerRank ?? Number.POSITIVE_INFINITY,
  };
  const precision = precisionOf(options.precision, options.activations);
  const analysis = analyse(graph, precision);
  const plan = decide(analysis.factored, analysis.found, limits);
  lastPlans.set(analysis, plan);
  return new PartitionPolicy(describePlan(analysis, plan, limits));
}

/**
 * Restores a policy for this graph from JSON. Only the decisions are taken from `data`; everything else is recomputed,
 * so the restored policy always describes what is actually done.
 *
 * @throws RingrankError RR_RANKS and RR_OPTION as in {@link planGraph}; RR_POLICY: `data` is not a policy, was made for
 * another graph, world size or precision, or contradicts itself; RR_MEMORY: the policy does not fit `memoryPerRank`
 */
export function policyFromJSON(
  graph: Graph,
  data: unknown,
  options: Omit<PlanOptions, "objective">,
): PartitionPolicy {
  checkPlanOptions(options);
  requireGraph(graph);
  const read = readPolicyData(data);
  if (read.ranks !== options.ranks) {
    throw new RingrankError(
      "RR_POLICY",
      `expected ${read.ranks} ranks, as in the policy, got ${options.ranks}; pass ranks: ${read.ranks}, or plan again`,
    );
  }
  const precision = precisionOf(options.precision, options.activations);
  if (read.precision.weights !== precision.weights || read.precision.activations !== precision.activations) {
    throw new RingrankError(
      "RR_POLICY",
      `expected the precision of the policy, ${describePrecision(read.precision)}, got ` +
        `${describePrecision(precision)}; load the model in the policy's precision, or plan again`,
    );
  }
  const analysis = analyse(graph, precision);
  checkGraphOf(read, analysis);
  const plan = planSharding(analysis, read.sharded, read.ranks);
  const { memoryPerRank = Number.POSITIVE_INFINITY } = options;
  const fullest = Math.max(...plan.bytesPerRank);
  if (fullest > memoryPerRank) {
    throw new RingrankError(
      "RR_MEMORY",
      `the policy puts ${fullest} bytes of weights on one rank, which may hold ${memoryPerRank}; plan again`,
    );
  }
  const limits: Limits = { ranks: read.ranks, objective: read.objective, memoryPerRank };
  return new PartitionPolicy(describePlan(analysis, plan, limits, read.whole));
}

/**
 * The graph that {@link planGraph} divides, before the division, for comparison with the result. Routed experts are not
 * quantized yet: only the division shows which they are.
 */
export function graphInPrecision(
  graph: Graph,
  { precision, activations }: Pick<PlanOptions, "precision" | "activations">,
): Graph {
  return prepareGraph(graph, precisionOf(precision, activations)).graph;
}

export interface ProgramOptions {
  /** Kinds of products that become steps of their own if possible. Default: none, so all stay within segments. */
  readonly products?: readonly ProductKind[] | undefined;
}

/**
 * Builds one program per rank. Its entries are those of the graph, or only `forward` if the graph has none.
 *
 * @throws RingrankError RR_OPTION: an unknown option or kind of product; RR_POLICY: the policy was made for another
 * graph, or contradicts itself
 */
export function buildPrograms(
  graph: Graph,
  policy: PartitionPolicy,
  options: ProgramOptions = {},
): RankProgram[] {
  checkProgramOptions(options);
  requireGraph(graph);
  // Another entry of the package may have a class of its own.
  if (typeof (policy as Partial<PartitionPolicy> | undefined)?.toJSON !== "function") {
    throw new RingrankError(
      "RR_POLICY",
      "expected a PartitionPolicy; policyFromJSON makes one of what toJSON() returned",
    );
  }
  const analysis = analyse(graph, policy.precision);
  checkGraphOf(policy.toJSON(), analysis);
  const sharded = policy.factors.filter((factor) => factor.sharded).map(({ id }) => id);
  const plan = planSharding(analysis, sharded, policy.ranks);
  return buildFromPlan(analysis.factored, analysis.found, plan, options.products ?? []);
}

/** Refuses a policy for another graph: factors are identified by their order, which differs between graphs. */
function checkGraphOf({ graph }: Pick<PolicyData, "graph">, { fingerprint }: Analysis): void {
  if (graph === fingerprint) return;
  throw new RingrankError(
    "RR_POLICY",
    "the policy was made for another graph (operators, shapes or edges differ); plan again",
  );
}

/** The last plan made from each analysis, because callers that plan a graph build its programs next. */
const lastPlans = new WeakMap<Analysis, Plan>();

/** Returns the last plan if it shards exactly these factors, else makes one. */
function planSharding(analysis: Analysis, ids: readonly number[], ranks: number): Plan {
  checkRanks(ranks);
  const { factored, found } = analysis;
  const last = lastPlans.get(analysis);
  const roles = chosenRoles(found, ids);
  const isLast =
    last?.shares.length === ranks &&
    last.roles.length === roles.length &&
    roles.every((role) => last.roles.includes(role));
  const plan = isLast ? last : planFor(factored, found, roles, ranks);
  lastPlans.set(analysis, plan);
  return plan;
}

function chosenRoles(found: Roles, ids: readonly number[]): Roles["roles"] {
  return ids.map((id) => {
    const role = found.roles[id];
    if (role === undefined)
      throw new RingrankError(
        "RR_POLICY",
        `the policy shards factor ${id}, but this graph only has ${found.roles.length} factors; plan again`,
      );
    return role;
  });
}
