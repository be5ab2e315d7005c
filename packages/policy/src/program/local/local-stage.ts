import { type GraphNode, readsOf } from "@ringrank/model";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { AllReduceStep, NormalizeStep, Step } from "../program.js";
import type { LocalAttention } from "./attention.js";
import { type LocalProducts, weightsOf } from "./local-products.js";
import { readsOfAll } from "./reads-of-all.js";

/** A stage in the form that one rank runs. */
export interface LocalStage {
  readonly nodes: readonly GraphNode[];
  readonly zeros: readonly Step[];
  readonly routed: readonly LocalExperts[];
  readonly attention: readonly LocalAttention[];
  readonly products: readonly LocalProducts[];
  readonly allReduces: readonly AllReduceStep[];
  /** Of values that are available then. */
  readonly normalizations: readonly NormalizeStep[];
  readonly allGathers: readonly AllGather[];
}

/** Experts, and the local names of what they read. */
export interface LocalExperts {
  readonly experts: RoutedExperts;
  readonly rows: string;
  readonly weights: string;
}

export type AllGather = Extract<Step, { kind: "allGather" }>;

/** A stage that does nothing. */
export const nothing: LocalStage = {
  nodes: [],
  zeros: [],
  routed: [],
  attention: [],
  products: [],
  allReduces: [],
  normalizations: [],
  allGathers: [],
};

/** Names in the table of everything that a stage reads outside of its segment. */
export function readApart(stage: LocalStage): string[] {
  const { routed, attention, products, allReduces, normalizations, allGathers } = stage;
  return [
    ...routed.flatMap(({ rows, weights }) => [rows, weights]),
    ...attention.flatMap(({ reads }) => [...reads]),
    ...[...products, ...allReduces, ...normalizations, ...allGathers].map(({ value }) => value),
    ...[...allReduces, ...normalizations].flatMap(({ added }) => added?.value ?? []),
  ];
}

/** For each stage: the values of its segment that are read later or returned, and so must stay in the table. */
export function neededAfter(stages: readonly LocalStage[], outputs: readonly string[]): Set<string>[] {
  const later = new Set(outputs);
  const needed: Set<string>[] = [];
  for (let index = stages.length - 1; index >= 0; index--) {
    const stage = stages[index]!;
    for (const name of readApart(stage)) later.add(name);
    needed[index] = new Set(stage.nodes.flatMap(({ outputs }) => outputs.filter((name) => later.has(name))));
    for (const node of stage.nodes) for (const name of readsOf(node)) later.add(name);
  }
  return needed;
}

/** The stages without nodes whose results are no longer read, because work outside of segments replaces them. */
export function withoutUnread(stages: readonly LocalStage[], outputs: readonly string[]): LocalStage[] {
  const read = new Set(outputs);
  const kept: LocalStage[] = [];
  for (const stage of stages.toReversed()) {
    for (const name of readApart(stage)) read.add(name);
    const nodes: GraphNode[] = [];
    for (const node of stage.nodes.toReversed()) {
      if (!node.outputs.some((name) => read.has(name))) continue;
      nodes.unshift(node);
      for (const name of readsOf(node)) read.add(name);
    }
    kept.unshift({ ...stage, nodes });
  }
  return kept;
}

/** The number of segments and products that read each shard. */
export function countReaders(
  stages: readonly LocalStage[],
  shards: ReadonlyMap<string, unknown>,
): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string): void => {
    if (shards.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  for (const { nodes, attention, products } of stages) {
    for (const reads of [readsOfAll(nodes), ...attention.map((one) => one.reads)]) reads.forEach(count);
    products.flatMap(weightsOf).forEach(count);
  }
  return counts;
}
