import type { FactoredGraph } from "../analysis/propagate.js";
import type { Placement } from "../decide/placement.js";

/**
 * The graph cut at its collectives. A node runs in the stage in which the last of its inputs is there; a value that
 * is paid for is there one stage after its producer. Stages are found on the whole graph, so that all ranks meet
 * in the same collectives, whatever each of them runs in between.
 */
export interface Stages {
  /** By node of the whole graph. */
  readonly ofNode: readonly number[];
  /** For each stage, the values all-reduced at its end, in the order of their producers. */
  readonly allReduces: readonly (readonly string[])[];
}

export function findStages({ nodes }: FactoredGraph, { paid }: Placement): Stages {
  const ready = new Map<string, number>();
  const allReduces: string[][] = [[]];
  const ofNode = nodes.map(({ operator }) => {
    const stage = operator.node.inputs.reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    for (const output of operator.node.outputs) {
      if (output === "") continue;
      const isPaid = paid.has(output);
      ready.set(output, isPaid ? stage + 1 : stage);
      if (!isPaid) continue;
      while (allReduces.length <= stage + 1) allReduces.push([]);
      allReduces[stage]!.push(output);
    }
    return stage;
  });
  return { ofNode, allReduces };
}
