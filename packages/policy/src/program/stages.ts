import type { FactoredGraph } from "../analysis/propagate.js";
import type { Placement } from "../decide/placement.js";
import type { EntryNodes } from "./entries.js";

/** A run of nodes between two collectives, before it is made local to a rank. */
export interface Stage {
  /** Indices in the whole graph, in its order. */
  readonly nodes: readonly number[];
  /** Values all-reduced at its end, in the order of their producers. */
  readonly allReduces: readonly string[];
}

/**
 * An entry cut at its collectives. A node runs in the stage in which the last of its inputs is there; a value that
 * is paid for is there one stage after its producer. Stages are found on the whole graph, so that all ranks meet
 * in the same collectives, whatever each of them runs in between.
 */
export function findStages({ nodes }: FactoredGraph, { paid }: Placement, entry: EntryNodes): Stage[] {
  const ready = new Map<string, number>();
  const stages: { nodes: number[]; allReduces: string[] }[] = [];
  for (const [index, { operator }] of nodes.entries()) {
    if (!entry.nodes.has(index)) continue;
    const at = operator.node.inputs.reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    stages[at] ??= { nodes: [], allReduces: [] };
    stages[at].nodes.push(index);
    for (const output of operator.node.outputs) {
      const isPaid = paid.has(output);
      ready.set(output, isPaid ? at + 1 : at);
      if (isPaid) stages[at].allReduces.push(output);
    }
  }
  return stages;
}
