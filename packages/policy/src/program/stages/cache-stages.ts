import { keptStates } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { Placement } from "../../decide/placement.js";
import type { EntryNodes } from "./entries.js";
import type { Stage } from "./stages.js";

/**
 * How many stages of an entry compute everything that it keeps for the next step; later stages only compute other
 * outputs. Found on the whole graph, so that all ranks can skip the same collectives.
 *
 * @returns undefined if it keeps nothing
 */
export function stagesOfCaches(
  { graph, nodes }: FactoredGraph,
  { paid }: Placement,
  entry: EntryNodes,
  stages: readonly Stage[],
): number | undefined {
  const own = { ...graph, caches: graph.caches.filter(({ filledBy }) => filledBy === undefined) };
  const kept = new Set(
    keptStates(own)
      .map(({ present }) => present)
      .filter((present) => entry.outputs.includes(present)),
  );
  if (kept.size === 0) return undefined;
  const reaches = stages.map((stage, at) => {
    const made = nodesOf(stage).flatMap((index) => nodes[index]!.operator.node.outputs);
    const rows = made.filter((name) => kept.has(name));
    if (rows.length === 0) return 0;
    // A sum that crosses in another type is cast back one stage later.
    return rows.some((name) => paid.has(name)) ? at + 2 : at + 1;
  });
  return Math.max(...reaches);
}

function nodesOf({ nodes, routed, attention, products, normalizations }: Stage): number[] {
  return [
    ...nodes,
    ...routed.map(({ sum }) => sum),
    ...[...attention, ...products].flatMap(({ body }) => body),
    ...normalizations.map(({ node }) => node),
  ];
}
