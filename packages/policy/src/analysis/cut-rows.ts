import { type Graph, type GraphNode, intAttribute, intsAttribute } from "@ringrank/model";
import { type Dim, type Factor, resolve, sizeOf } from "../factors/factor.js";
import { fromFront } from "../graph/axis.js";
import { takeApart } from "../lowering/lower.js";
import { inSums, isRowNorm, type RowNorm } from "../lowering/norm-in-sums.js";
import { isStatic } from "../shapes/size-pair.js";
import type { FactoredGraph, FactoredNode } from "./factored-graph.js";

/**
 * Rewrites norms in terms of sums if their rows are cut elsewhere: for example queries that are normalized over all
 * heads before they are cut into heads (https://arxiv.org/abs/2501.00656). As a single operator, a norm needs its whole
 * row, and then no rank could have a part of the heads. A row that nothing cuts, such as that of the residual stream,
 * is a single axis, and its norms are unchanged.
 */
export function normsInSums(factored: FactoredGraph): Graph {
  const { graph, nodes } = factored;
  const found = nodes.flatMap((node) => normOfProduct(node) ?? []);
  if (found.length === 0) return graph;
  const shortest = shortestAxes(factored);
  const norms = new Map<GraphNode, RowNorm>(
    found
      .filter(({ row }) => (shortest.get(row[0]!) ?? row.length) < row.length)
      .map(({ norm }) => [norm.node, norm]),
  );
  return takeApart(graph, (node, maker) => {
    const norm = norms.get(node);
    return norm && inSums(norm, maker);
  });
}

/** A norm of a row with several factors, which may also be blocks of a quantized matrix. */
function normOfProduct({ operator, inputs }: FactoredNode): { norm: RowNorm; row: Dim } | undefined {
  const { node } = operator;
  const [x] = operator.inputs;
  if (!isRowNorm(node) || x === undefined || !isAlongRow(operator)) return undefined;
  const row = resolve(inputs[0]!.at(-1)!);
  const size = sizeOf(row);
  if (row.length < 2 || !isStatic(size) || (x.type !== "float32" && x.type !== "float16")) return undefined;
  return { norm: { node, width: size[0], type: x.type }, row };
}

/**
 * By the first factor of an axis: the number of factors of the shortest such axis, of all values and inside operators.
 */
function shortestAxes({ values, nodes }: FactoredGraph): Map<Factor, number> {
  const shortest = new Map<Factor, number>();
  const axes = [...values.values(), ...nodes.map(({ cut }) => cut)].flat();
  for (const axis of axes) {
    const [first, ...others] = resolve(axis);
    if (first === undefined) continue;
    const length = 1 + others.length;
    shortest.set(first, Math.min(length, shortest.get(first) ?? length));
  }
  return shortest;
}

/** Whether a norm, or a mean, is only over the last axis. */
function isAlongRow({ node, inputs }: FactoredNode["operator"]): boolean {
  const rank = inputs[0]!.dims.length;
  const axes = node.opType === "ReduceMean" ? meanAxes() : [intAttribute(node, "axis", -1)];
  return axes?.length === 1 && fromFront(axes[0]!, rank) === rank - 1;

  function meanAxes(): readonly number[] | undefined {
    return intsAttribute(node, "axes") ?? inputs[1]?.contents?.map(([axis]) => axis);
  }
}
