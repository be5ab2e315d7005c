import type { CachedAttention } from "../../analysis/cached-attention.js";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { Placement } from "../../decide/placement.js";
import { type Apart, ApartByNode } from "./apart.js";
import type { EntryNodes } from "./entries.js";
import type { NormalizedValue } from "./normalizations.js";
import type { ProductApart } from "./products-apart.js";

/** A run of nodes, then what the ranks do outside their sessions, before it is made local to a rank. */
export interface Stage {
  /** Indices in the whole graph, in its order. */
  readonly nodes: readonly number[];
  /** Experts to run after the nodes, each only for the rows that are routed to it. */
  readonly routed: readonly RoutedExperts[];
  /** Attention to run after the nodes, each in a segment of its own. */
  readonly attention: readonly CachedAttention[];
  /** Products to compute after all that. */
  readonly products: readonly ProductApart[];
  /** Values all-reduced at the end, in the order of their producers. */
  readonly allReduces: readonly string[];
  /** Of values that are available then. */
  readonly normalizations: readonly NormalizedValue[];
  /** Values gathered after that, by the names that their readers use. */
  readonly allGathers: readonly string[];
}

/**
 * An entry, cut at its collectives and at what runs outside of segments. Stages are found on the whole graph, so that
 * all ranks meet in the same collectives, whatever each of them runs in between.
 */
export function findStages(
  factored: FactoredGraph,
  placement: Placement,
  entry: EntryNodes,
  found: Apart,
): Stage[] {
  const apart = new ApartByNode(factored, found);
  const stageOf = earliestStages(factored, placement, entry, apart);
  delayConstants(factored, placement, stageOf, apart);
  return collectStages(factored, placement, stageOf, apart);
}

/**
 * By node: the stage in which the last of its inputs becomes available. The results of all-reduces, and of experts,
 * attention and products that run separately, are available one stage later; so are separate normalizations, which run
 * at the end of the stage that computes their input.
 */
function earliestStages(
  { nodes }: FactoredGraph,
  { paid, gathered }: Placement,
  entry: EntryNodes,
  apart: ApartByNode,
): Map<number, number> {
  const stageOf = new Map<number, number>();
  const ready = new Map<string, number>();
  /** Values that are computed outside of segments, and available to normalizations at the end of their stage. */
  const atEnd = new Set<string>();
  for (const [index, { operator }] of nodes.entries()) {
    if (!entry.nodes.has(index) || apart.contains(index)) continue;
    const latest = apart.readsOf(index).reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    const norm = apart.normalizations.get(index);
    const at = norm !== undefined && atEnd.has(norm.value) ? latest - 1 : latest;
    stageOf.set(index, at);
    for (const output of operator.node.outputs) {
      const isThereAtEnd = paid.has(output) || apart.endsWith(index);
      if (isThereAtEnd) atEnd.add(output);
      ready.set(output, isThereAtEnd || gathered.has(output) ? at + 1 : at);
    }
  }
  return stageOf;
}

/**
 * Moves nodes that only depend on weights, and run in segments, to the first stage that reads them, so that their
 * results need not cross stages.
 */
function delayConstants(
  { graph, nodes }: FactoredGraph,
  { paid }: Placement,
  stageOf: Map<number, number>,
  apart: ApartByNode,
): void {
  const fixed = new Set([...graph.outputs.map(({ name }) => name), ...paid]);
  const constants = new Set<string>(graph.weights.keys()).add("");
  const constantNodes: number[] = [];
  for (const index of stageOf.keys()) {
    const { node } = nodes[index]!.operator;
    const isConstant = apart.readsOf(index).every((name) => constants.has(name));
    if (!isConstant || apart.endsWith(index) || node.outputs.some((name) => fixed.has(name))) continue;
    for (const output of node.outputs) constants.add(output);
    constantNodes.push(index);
  }
  const firstRead = new Map<string, number>();
  const read = (index: number): void => {
    const at = stageOf.get(index)!;
    for (const name of apart.readsOf(index)) {
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

function collectStages(
  { nodes }: FactoredGraph,
  { paid, gathered }: Placement,
  stageOf: ReadonlyMap<number, number>,
  apart: ApartByNode,
): Stage[] {
  const stages: { [Part in keyof Stage]: Stage[Part][number][] }[] = [];
  for (const [index, at] of stageOf) {
    while (stages.length <= at)
      stages.push({
        nodes: [],
        routed: [],
        attention: [],
        products: [],
        allReduces: [],
        normalizations: [],
        allGathers: [],
      });
    const stage = stages[at]!;
    const [norm, routed] = [apart.normalizations.get(index), apart.experts.get(index)];
    const [attending, product] = [apart.attention.get(index), apart.products.get(index)];
    if (norm !== undefined) stage.normalizations.push(norm);
    else if (routed !== undefined) stage.routed.push(routed);
    else if (attending !== undefined) stage.attention.push(attending);
    else if (product !== undefined) stage.products.push(product);
    else stage.nodes.push(index);
    const { outputs } = nodes[index]!.operator.node;
    stage.allGathers.push(...outputs.filter((output) => gathered.has(output)));
    stage.allReduces.push(...outputs.filter((output) => paid.has(output)));
  }
  return stages;
}
