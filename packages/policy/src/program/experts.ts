import type { FactoredGraph } from "../analysis/propagate.js";
import type { WeightUse } from "../analysis/roles.js";
import type { RoutedExperts } from "../analysis/routed-experts.js";
import type { RankView } from "../decide/rank-view.js";
import { leavesOf } from "../factors/factor.js";
import type { RankShare } from "../factors/shard.js";
import { localValues } from "./local-values.js";
import { localize } from "./localize.js";
import type { Segment } from "./program.js";
import { makeSegment } from "./segment.js";

/** The session that computes one expert for some rows, and the inputs that depend on the expert. */
export interface ExpertSegment {
  readonly segment: Segment;
  /** Local names of the stacks; an expert is fed its part `[1, …]` of each. */
  readonly stacks: readonly string[];
  /** Local name of the session's output. */
  readonly perExpert: string;
}

/**
 * One expert's computation on one rank: the nodes of all experts, made local as if this rank had one of them. So one
 * small session serves every expert of a layer, and an expert without rows costs nothing.
 */
export function makeExpertSegments(
  factored: FactoredGraph,
  uses: readonly WeightUse[],
  view: RankView,
  share: RankShare,
  experts: readonly RoutedExperts[],
): Map<RoutedExperts, ExpertSegment> {
  const segments = new Map<RoutedExperts, ExpertSegment>();
  if (experts.length === 0) return segments;
  const one = new Map(share);
  for (const { experts: factor } of experts) one.set(factor, [0, 1]);
  const local = localize(factored, uses, view, one);
  const values = localValues(factored, local, one);
  for (const routed of experts) {
    const nodes = routed.body.flatMap((index) => local.nodes[index]!);
    const isStack = ({ node, dims }: WeightUse): boolean =>
      routed.body.includes(node) && leavesOf(dims[0] ?? []).includes(routed.experts);
    // Weights that several segments use are fed; so are these, in parts.
    const fed = new Map(uses.filter(isStack).map(({ name }) => [name, Number.POSITIVE_INFINITY]));
    const { shards, constants } = local;
    const context = { opsets: factored.graph.opsets, shards, constants, values, uses: fed };
    const perExpert = local.nameOf(routed.perExpert)!;
    const segment = makeSegment(nodes, new Set([perExpert]), context);
    segments.set(routed, {
      segment: { ...segment, sharedWeights: [] },
      stacks: segment.sharedWeights,
      perExpert,
    });
  }
  return segments;
}
