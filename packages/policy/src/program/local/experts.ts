import { intAttribute } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { WeightUse } from "../../analysis/roles.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { RankView } from "../../decide/rank-view.js";
import { leavesOf } from "../../factors/factor.js";
import type { RankShare } from "../../factors/shard.js";
import { operatorName } from "../../graph/operator-name.js";
import type { SegmentContext } from "../segments/segment.js";
import type { ProductKind } from "../stages/matrix-product.js";
import { byValue, type LocalProducts, weightsOf } from "./local-products.js";
import { countReaders, type LocalStage, nothing } from "./local-stage.js";
import { localValues } from "./local-values.js";
import { type LocalGraph, localize } from "./localize.js";
import { readsOfAll } from "./reads-of-all.js";

/** The computation of one expert of a layer. It is the same for every expert. */
export interface ExpertStages {
  readonly stages: readonly LocalStage[];
  /** Of the segments. These read stacks as values: an expert's part `[1, …]`. */
  readonly context: SegmentContext;
  /** Local names of the stacks. */
  readonly stacks: readonly string[];
  /** Local name of the result. */
  readonly perExpert: string;
}

/**
 * One expert's computation on one rank: the nodes of all experts, made local as if this rank had one of them. So the
 * same steps serve every expert of a layer, and an expert without rows costs nothing.
 *
 * @param kinds of products that are computed apart
 */
export function makeExpertStages(
  factored: FactoredGraph,
  uses: readonly WeightUse[],
  view: RankView,
  share: RankShare,
  experts: readonly RoutedExperts[],
  kinds: readonly ProductKind[],
): Map<RoutedExperts, ExpertStages> {
  if (experts.length === 0) return new Map();
  const one = new Map(share);
  for (const { experts: factor } of experts) one.set(factor, [0, 1]);
  const local = localize(factored, uses, view, one);
  const made = experts.map((routed) => {
    const stages = stagesOf(routed, factored, local, kinds);
    const stacks = stacksOf(stages, stackedWeights(routed, uses), local);
    return { routed, stages, stacks, perExpert: local.nameOf(routed.perExpert)! };
  });
  const shards = new Map(local.shards);
  const values = new Map(localValues(factored, local, one));
  for (const name of made.flatMap(({ stacks }) => stacks)) {
    const { weight, dims } = local.shards.get(name)!;
    shards.delete(name);
    values.set(name, { type: weight.type, dims: dims.map((size) => [size, size]) });
  }
  const stages = made.flatMap(({ stages }) => stages);
  const { opsets } = factored.graph;
  const context = { opsets, shards, constants: local.constants, values, uses: countReaders(stages, shards) };
  return new Map(made.map(({ routed, ...parts }) => [routed, { ...parts, context }]));
}

/** Local names of the stacks that the stages of an expert read. */
function stacksOf(
  stages: readonly LocalStage[],
  stacked: ReadonlySet<WeightUse["weight"] | undefined>,
  { shards }: LocalGraph,
): string[] {
  const reads = stages.flatMap(({ nodes, products }) => [
    ...readsOfAll(nodes),
    ...products.flatMap(weightsOf),
  ]);
  return [...new Set(reads)].filter((name) => stacked.has(shards.get(name)?.weight));
}

/** Weights of which each expert has a part. */
function stackedWeights(
  { body, experts }: RoutedExperts,
  uses: readonly WeightUse[],
): ReadonlySet<WeightUse["weight"] | undefined> {
  const nodes = new Set(body);
  const isStack = ({ node, dims }: WeightUse): boolean =>
    nodes.has(node) && leavesOf(dims[0] ?? []).includes(experts);
  return new Set(uses.filter(isStack).map(({ weight }) => weight));
}

/** The body, cut after products that are computed apart. A node runs in the first stage that has all its inputs. */
function stagesOf(
  { body }: RoutedExperts,
  { nodes }: FactoredGraph,
  local: LocalGraph,
  kinds: readonly ProductKind[],
): LocalStage[] {
  const stages: { nodes: LocalStage["nodes"][number][]; products: LocalProducts[] }[] = [];
  const thereAt = new Map<string, number>();
  for (const index of body) {
    const { node } = nodes[index]!.operator;
    const at = Math.max(0, ...node.inputs.map((name) => thereAt.get(name) ?? 0));
    stages[at] ??= { nodes: [], products: [] };
    const product = kinds.includes("experts") ? stackedProduct(index, nodes, local) : undefined;
    if (product === undefined) stages[at].nodes.push(...local.nodes[index]!);
    else stages[at].products.push(product);
    for (const name of node.outputs) thereAt.set(name, product === undefined ? at : at + 1);
  }
  return stages.map(({ nodes, products }) => ({ ...nothing, nodes, products: byValue(products) }));
}

/**
 * The product with one expert's matrix, if ranks can multiply by it themselves (see `matrix-product.ts`), and if this
 * one has a part of it.
 */
function stackedProduct(
  index: number,
  { [index]: factoredNode }: FactoredGraph["nodes"],
  local: LocalGraph,
): LocalProducts | undefined {
  const { node } = factoredNode!.operator;
  const isRounded = intAttribute(node, "accuracy_level", 0) === 4;
  if (operatorName(node) !== "ringrank::StackedMatMulNBits" || !isRounded) return undefined;
  const parts = local.nodes[index]!;
  const product = parts.at(-1);
  if (product === undefined) return undefined;
  const [value, ...matrix] = product.inputs as [string, string, string];
  const [values, scales] = matrix.map((name) => parts.find(({ outputs }) => outputs[0] === name)!.inputs[0]!);
  return {
    value,
    width: intAttribute(product, "K", 0),
    bits: intAttribute(product, "bits", 4) === 8 ? 8 : 4,
    outputs: [
      {
        name: product.outputs[0]!,
        matrices: [{ rows: intAttribute(product, "N", 0), values: values!, scales: scales! }],
      },
    ],
  };
}
