import type { FactoredGraph } from "../analysis/propagate.js";
import type { RoutedExperts } from "../analysis/routed-experts.js";
import type { Placement } from "../decide/placement.js";
import type { EntryNodes } from "./entries.js";

/** A run of nodes, then what the ranks do outside their sessions, before it is made local to a rank. */
export interface Stage {
  /** Indices in the whole graph, in its order. */
  readonly nodes: readonly number[];
  /** Experts to run after the nodes, each only for the rows that go to it. */
  readonly routed: readonly RoutedExperts[];
  /** Values all-reduced at the end, in the order of their producers. */
  readonly allReduces: readonly string[];
}

/**
 * An entry cut at its collectives and at its routed experts. A node runs in the stage in which the last of its
 * inputs is there; what is paid for, or comes from experts, is there one stage later. Stages are found on the whole
 * graph, so that all ranks meet in the same collectives, whatever each of them runs in between.
 */
export function findStages(
  { nodes }: FactoredGraph,
  { paid }: Placement,
  entry: EntryNodes,
  experts: readonly RoutedExperts[],
): Stage[] {
  const bySum = new Map(experts.map((one) => [one.sum, one]));
  const inside = new Set(experts.flatMap(({ body, product }) => [...body, product]));
  const ready = new Map<string, number>();
  const stages: { nodes: number[]; routed: RoutedExperts[]; allReduces: string[] }[] = [];
  for (const [index, { operator }] of nodes.entries()) {
    if (!entry.nodes.has(index) || inside.has(index)) continue;
    const routed = bySum.get(index);
    const reads = routed === undefined ? operator.node.inputs : [routed.rows, routed.weights];
    const at = reads.reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    while (stages.length <= at) stages.push({ nodes: [], routed: [], allReduces: [] });
    const stage = stages[at]!;
    if (routed === undefined) stage.nodes.push(index);
    else stage.routed.push(routed);
    for (const output of operator.node.outputs) {
      const isPaid = paid.has(output);
      ready.set(output, isPaid || routed !== undefined ? at + 1 : at);
      if (isPaid) stage.allReduces.push(output);
    }
  }
  return stages;
}
