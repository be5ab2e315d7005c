import type { CachedAttention } from "../../analysis/cached-attention.js";
import type { FactoredGraph } from "../../analysis/propagate.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { Placement } from "../../decide/placement.js";
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

/** What does not run in the segment of its stage. */
export interface Apart {
  readonly experts: readonly RoutedExperts[];
  readonly attention: readonly CachedAttention[];
  readonly products: readonly ProductApart[];
  readonly normalizations: readonly NormalizedValue[];
}

/**
 * An entry, cut at its collectives and at what runs outside of segments. A node runs in the stage in which the last of
 * its inputs becomes available. The results of all-reduces, and of experts, attention and products that run separately,
 * are available one stage later; so are separate normalizations, which run at the end of the stage that computes their
 * input. Whatever depends only on weights is computed where it is first read, so that it need not cross stages. Stages
 * are found on the whole graph, so that all ranks meet in the same collectives, whatever each of them runs in between.
 */
export function findStages(
  factored: FactoredGraph,
  { paid, gathered }: Placement,
  entry: EntryNodes,
  { experts, attention, products, normalizations }: Apart,
): Stage[] {
  const { nodes } = factored;
  const inputsOf = (index: number): readonly string[] => nodes[index]!.operator.node.inputs;
  const bySum = new Map(experts.map((one) => [one.sum, one]));
  // At this point, everything that attention reads has been passed.
  const byLast = new Map(attention.map((one) => [one.body.at(-1)!, one]));
  const byOutput = new Map(products.map((one) => [one.body.at(-1)!, one]));
  const norms = new Map(normalizations.map((one) => [one.node, one]));
  const inside = new Set([
    ...experts.flatMap(({ body, product }) => [...body, product]),
    ...[...attention, ...products].flatMap(({ body }) => body.slice(0, -1)),
  ]);
  const readsOf = (index: number): readonly string[] => {
    const routed = bySum.get(index);
    if (routed !== undefined) return [routed.rows, routed.weights];
    const product = byOutput.get(index);
    if (product !== undefined) return [product.value];
    return byLast.get(index)?.body.flatMap(inputsOf) ?? inputsOf(index);
  };
  const isApart = (index: number): boolean =>
    [bySum, byLast, byOutput, norms].some((ofKind) => ofKind.has(index));
  const ready = new Map<string, number>();
  /** Values that are computed outside of segments, and available to normalizations at the end of their stage. */
  const atEnd = new Set<string>();
  const stageOf = new Map<number, number>();
  for (const [index, { operator }] of nodes.entries()) {
    if (!entry.nodes.has(index) || inside.has(index)) continue;
    const latest = readsOf(index).reduce((latest, name) => Math.max(latest, ready.get(name) ?? 0), 0);
    const at = norms.has(index) && atEnd.has(norms.get(index)!.value) ? latest - 1 : latest;
    stageOf.set(index, at);
    for (const output of operator.node.outputs) {
      const isThereAtEnd = paid.has(output) || isApart(index);
      if (isThereAtEnd) atEnd.add(output);
      ready.set(output, isThereAtEnd || gathered.has(output) ? at + 1 : at);
    }
  }
  delayConstants(factored, paid, stageOf, readsOf, isApart);

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
    const norm = norms.get(index);
    const stage = stages[at]!;
    const routed = bySum.get(index);
    const attending = byLast.get(index);
    const product = byOutput.get(index);
    if (norm !== undefined) stage.normalizations.push(norm);
    else if (routed !== undefined) stage.routed.push(routed);
    else if (attending !== undefined) stage.attention.push(attending);
    else if (product !== undefined) stage.products.push(product);
    else stage.nodes.push(index);
    stage.allGathers.push(...nodes[index]!.operator.node.outputs.filter((output) => gathered.has(output)));
    stage.allReduces.push(...nodes[index]!.operator.node.outputs.filter((output) => paid.has(output)));
  }
  return stages;
}

/** Moves nodes that only depend on weights, and run in segments, to the first stage that reads them. */
function delayConstants(
  { graph, nodes }: FactoredGraph,
  paid: ReadonlySet<string>,
  stageOf: Map<number, number>,
  readsOf: (index: number) => readonly string[],
  isApart: (index: number) => boolean,
): void {
  const fixed = new Set([...graph.outputs.map(({ name }) => name), ...paid]);
  const constants = new Set<string>(graph.weights.keys()).add("");
  const constantNodes: number[] = [];
  for (const index of stageOf.keys()) {
    const { node } = nodes[index]!.operator;
    const isConstant = readsOf(index).every((name) => constants.has(name));
    if (!isConstant || isApart(index) || node.outputs.some((name) => fixed.has(name))) continue;
    for (const output of node.outputs) constants.add(output);
    constantNodes.push(index);
  }
  const firstRead = new Map<string, number>();
  const read = (index: number): void => {
    const at = stageOf.get(index)!;
    for (const name of readsOf(index)) {
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
