import { type Dim, type Factor, isLeaf, leavesOf, resolve, sizeOf } from "../factors/factor.js";
import { operatorName } from "../graph/operator-name.js";
import { isOne, isStatic } from "../shapes/size-pair.js";
import type { FactoredGraph, FactoredNode } from "./factored-graph.js";

/**
 * A mixture of experts, recognised by what it computes:
 *
 *     y = f(x, W₀, W₁, …)     [experts, rows, width]   x [rows, …] broadcast over stacks W [experts, …]
 *     output = Σ_e w_e · y_e   w [experts, rows, 1]
 *
 * f treats experts and rows independently, so y is not needed where w is 0, and neither are the weights of an expert to
 * which no row is routed (Shazeer et al., arXiv:1701.06538).
 */
export interface RoutedExperts {
  /** Indices of the nodes of f. */
  readonly body: readonly number[];
  /** Indices of the product with w and of the sum over experts. */
  readonly product: number;
  readonly sum: number;
  /** Names of x, w, y and of the sum. */
  readonly rows: string;
  readonly weights: string;
  readonly perExpert: string;
  readonly output: string;
  readonly experts: Factor;
}

/** Operators that treat every index of a leading dimension alike, as long as the dimension stays in place. */
const apart: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Div", "Neg", "Min", "Max", "Clip"],
  ...["Sigmoid", "Tanh", "Relu", "Gelu", "Erf", "Softplus", "Exp"],
  ...["MatMul", "Split", "Slice", "Concat", "Gather", "Reshape", "Squeeze", "Unsqueeze"],
  ...["com.microsoft::FusedMatMul", "com.microsoft::QuickGelu", "com.microsoft::FastGelu"],
  "ringrank::StackedMatMulNBits",
]);

export function findRoutedExperts(factored: FactoredGraph): RoutedExperts[] {
  return factored.nodes.flatMap((_, index) => routedAt(index, factored) ?? []);
}

function routedAt(sum: number, factored: FactoredGraph): RoutedExperts | undefined {
  const { nodes, wiring } = factored;
  const { operator, contracted, inputs } = nodes[sum]!;
  const experts = operator.node.opType === "ReduceSum" ? soleLeaf(contracted) : undefined;
  if (experts === undefined || soleLeaf(inputs[0]!.slice(0, 1)) !== experts) return undefined;
  const weighted = operator.node.inputs[0]!;
  const product = wiring.producer(weighted);
  if (product === undefined || wiring.soleReader(weighted) !== sum) return undefined;
  if (nodes[product]!.operator.node.opType !== "Mul") return undefined;
  const factors = nodes[product]!;
  const rows = factors.outputs[0]![1];
  if (rows === undefined) return undefined;
  const weightSlot = factors.inputs.findIndex((dims) => isRoutingWeight(dims, experts, rows));
  if (weightSlot === -1 || factors.inputs.length !== 2) return undefined;
  const perExpert = factors.operator.node.inputs[1 - weightSlot]!;
  const found = collectBody(perExpert, product, experts, rows, factored);
  if (found === undefined) return undefined;
  return {
    ...found,
    product,
    sum,
    weights: factors.operator.node.inputs[weightSlot]!,
    perExpert,
    output: operator.node.outputs[0]!,
    experts,
  };
}

/** `[experts, rows, 1, …]`: one number for each row and expert. */
function isRoutingWeight(dims: readonly Dim[], experts: Factor, rows: Dim): boolean {
  const [first, second, ...others] = dims;
  if (first === undefined || second === undefined) return false;
  return soleLeaf([first]) === experts && same(second, rows) && others.every((dim) => isOne(sizeOf(dim)));
}

/** The nodes between x and y, if all of them treat experts and rows independently. */
function collectBody(
  perExpert: string,
  product: number,
  experts: Factor,
  rows: Dim,
  { graph, nodes, wiring }: FactoredGraph,
): { body: readonly number[]; rows: string } | undefined {
  const body = new Set<number>();
  const sources = new Set<string>();
  const pending = [perExpert];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const index = wiring.producer(name);
    if (index === undefined) return undefined;
    if (body.has(index)) continue;
    const node = nodes[index]!;
    if (!computesApart(node, experts, rows)) return undefined;
    body.add(index);
    for (const [slot, input] of node.operator.node.inputs.entries()) {
      const operand = node.operator.inputs[slot];
      if (operand === undefined) continue;
      const dims = node.inputs[slot]!;
      if (!dims.some((dim) => leavesOf(dim).includes(experts))) {
        // Every expert reads constants whole; any other operand without experts is x.
        if (!operand.isWeight) sources.add(input);
        if (!operand.isWeight && !beginsWithRows(dims, rows)) return undefined;
      } else if (soleLeaf(dims.slice(0, 1)) !== experts) return undefined;
      // Ranks take parts of stacks in files, not of constants in the graph.
      else if (graph.weights.get(input)?.source.kind === "inline") return undefined;
      else if (!operand.isWeight) pending.push(input);
    }
  }
  const [source, ...others] = sources;
  if (source === undefined || others.length > 0) return undefined;
  const isAlone = wiring.isClosed(new Set([...body, product]), nodes[product]!.operator.node.outputs);
  if (!isAlone) return undefined;
  return { body: [...body].sort((a, b) => a - b), rows: source };
}

function computesApart({ operator, contracted, outputs }: FactoredNode, experts: Factor, rows: Dim): boolean {
  if (!apart.has(operatorName(operator.node))) return false;
  const summed = contracted.flatMap(leavesOf);
  const rowLeaves = leavesOf(rows);
  if (summed.some((leaf) => leaf === experts || rowLeaves.includes(leaf))) return false;
  // A stack that is still being prepared, such as a bias, has size 1 instead of rows.
  const hasRows = (dim: Dim): boolean => same(dim, rows) || isOne(sizeOf(dim));
  return outputs.every(
    ([first, second]) => first !== undefined && soleLeaf([first]) === experts && hasRows(second ?? []),
  );
}

/** The single static leaf that `dims` consists of, if it does. */
function soleLeaf(dims: readonly Dim[]): Factor | undefined {
  const [only, ...others] = dims.flatMap(resolve);
  return only !== undefined && others.length === 0 && isLeaf(only) && isStatic(only.size) ? only : undefined;
}

/** `[rows, …]` or `[1, rows, …]`. */
function beginsWithRows([first = [], second = []]: readonly Dim[], rows: Dim): boolean {
  return same(first, rows) || (isOne(sizeOf(first)) && same(second, rows));
}

function same(a: Dim, b: Dim): boolean {
  const [left, right] = [resolve(a), resolve(b)];
  return left.length === right.length && left.every((factor, index) => factor === right[index]);
}
