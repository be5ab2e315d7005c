import { keptStates } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { Placement } from "../../decide/placement.js";
import type { EntryNodes } from "./entries.js";
import type { Stage } from "./stages.js";

/** The beginning of an entry. */
export interface Beginning {
  /** How many stages it contains. */
  readonly stages: number;
  /** Whether the segments of the last one are enough, without what ranks do after these. */
  readonly endsWithSegments: boolean;
}

/**
 * By output of an entry: the beginning that computes it. Found on the whole graph, so that all ranks can skip the same
 * collectives.
 */
export function beginningsOfOutputs(
  { nodes }: FactoredGraph,
  { paid, gathered }: Placement,
  { outputs }: EntryNodes,
  stages: readonly Stage[],
): ReadonlyMap<string, Beginning> {
  const wanted = new Set(outputs);
  const made = new Map<string, Beginning>();
  for (const [at, stage] of stages.entries()) {
    const inSegments = new Set(stage.nodes);
    // A normalization may also add what its value is a sum of.
    const atEnd = new Set([...gathered, ...stage.normalizations.map(({ value }) => value)]);
    for (const index of nodesOf(stage)) {
      for (const name of nodes[index]!.operator.node.outputs.filter((name) => wanted.has(name))) {
        const isThereBefore = inSegments.has(index) && !atEnd.has(name);
        // A sum that crosses in another type is cast back by the next stage's segments.
        const beginning = paid.has(name)
          ? { stages: at + 2, endsWithSegments: true }
          : { stages: at + 1, endsWithSegments: isThereBefore };
        made.set(name, beginning);
      }
    }
  }
  return made;
}

/**
 * How many stages of an entry compute everything that it keeps for the next call.
 *
 * @param made by output ({@link beginningsOfOutputs})
 * @returns undefined if it keeps nothing
 */
export function stagesOfCaches(
  { graph }: FactoredGraph,
  made: ReadonlyMap<string, Beginning>,
): number | undefined {
  const own = { ...graph, caches: graph.caches.filter(({ filledBy }) => filledBy === undefined) };
  const kept = keptStates(own).flatMap(({ present }) => made.get(present)?.stages ?? []);
  return kept.length === 0 ? undefined : Math.max(...kept);
}

function nodesOf({ nodes, routed, attention, products, normalizations }: Stage): number[] {
  return [
    ...nodes,
    ...routed.map(({ sum }) => sum),
    ...[...attention, ...products].flatMap(({ body }) => body),
    ...normalizations.map(({ node }) => node),
  ];
}
