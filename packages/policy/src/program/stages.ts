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
 * inputs is there; what is paid for, or comes from experts, is there one stage later. What depends on weights alone
 * is computed where it is first read, so that it need not cross stages. Stages are found on the whole graph, so that
 * all ranks meet in the same collectives, whatever each of them runs in between.
 */
export function findStages(
  factored: FactoredGraph,
  { paid }: Placement,
  entry: EntryNodes,
  experts: readonly RoutedExperts[],
): Stage[] {
  const { nodes } = factored;
  const bySum = new Map(experts.map((one) => [one.sum, one]));
  const inside = new Set(experts.flatMap(({ body, product }) => [...body, product]));
  const ready = new Map<string, number>();
  const stageOf = new Map<number, number>();
  for (const [index, { operator }] of nodes.entries()) {
    if (!entry.nodes.has(index) || inside.has(index)) continue;
    const routed = bySum.get(index);
    const reads = routed === undefined ? operator.node.inputs : [routed.rows, routed.weights];
    const at = reads.reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    stageOf.set(index, at);
    for (const output of operator.node.outputs) {
      ready.set(output, paid.has(output) || routed !== undefined ? at + 1 : at);
    }
  }
  delayConstants(factored, paid, stageOf);

  const stages: { nodes: number[]; routed: RoutedExperts[]; allReduces: string[] }[] = [];
  for (const [index, at] of stageOf) {
    while (stages.length <= at) stages.push({ nodes: [], routed: [], allReduces: [] });
    const stage = stages[at]!;
    const routed = bySum.get(index);
    if (routed === undefined) stage.nodes.push(index);
    else stage.routed.push(routed);
    stage.allReduces.push(...nodes[index]!.operator.node.outputs.filter((output) => paid.has(output)));
  }
  return stages;
}

/** Moves nodes that depend on weights alone to the first stage that reads them. */
function delayConstants(
  { graph, nodes }: FactoredGraph,
  paid: ReadonlySet<string>,
  stageOf: Map<number, number>,
): void {
  const fixed = new Set([...graph.outputs.map(({ name }) => name), ...paid]);
  const constants = new Set<string>(graph.weights.keys()).add("");
  const constantNodes: number[] = [];
  for (const index of stageOf.keys()) {
    const { node } = nodes[index]!.operator;
    const isConstant = node.inputs.every((name) => constants.has(name));
    if (!isConstant || node.outputs.some((name) => fixed.has(name))) continue;
    for (const output of node.outputs) constants.add(output);
    constantNodes.push(index);
  }
  const firstRead = new Map<string, number>();
  const read = (index: number): void => {
    const at = stageOf.get(index)!;
    for (const name of nodes[index]!.operator.node.inputs) {
      firstRead.set(name, Math.min(firstRead.get(name) ?? at, at));
    }
  };
  const delayed = new Set(constantNodes);
  for (const index of stageOf.keys()) if (!delayed.has(index)) read(index);
  for (const index of constantNodes.reverse()) {
    const reads = nodes[index]!.operator.node.outputs.flatMap((name) => firstRead.get(name) ?? []);
    if (reads.length > 0) stageOf.set(index, Math.min(...reads));
    read(index);
  }
}
