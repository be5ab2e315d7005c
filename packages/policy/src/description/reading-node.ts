import type { FactoredGraph, FactoredNode } from "../analysis/factored-graph.js";
import type { WeightUse } from "../analysis/roles.js";
import { type Factor, leavesOf } from "../factors/factor.js";

/** A node that reads a value, and its input slot. */
export interface Reading {
  readonly node: FactoredNode;
  readonly slot: number;
}

/**
 * The node that uses a weight. Nodes with only weights as inputs, such as a cast, a transposition or a
 * DequantizeLinear, are followed to the first reader with other inputs.
 */
export function readingNode(
  { nodes, graph, wiring }: FactoredGraph,
  use: Pick<WeightUse, "node" | "slot">,
): Reading {
  const isConstant = (name: string): boolean => {
    const producer = wiring.producer(name);
    return (
      name === "" || graph.weights.has(name) || (producer !== undefined && isOfConstants(nodes[producer]!))
    );
  };
  const isOfConstants = ({ operator }: FactoredNode): boolean => operator.node.inputs.every(isConstant);

  let [index, slot] = [use.node, use.slot];
  for (;;) {
    const node = nodes[index]!;
    const [made] = node.operator.node.outputs as [string];
    const reader = isOfConstants(node) ? wiring.firstReader(made) : undefined;
    if (reader === undefined) return { node, slot };
    index = reader;
    slot = nodes[index]!.operator.node.inputs.indexOf(made);
  }
}

/** Whether the node sums over one of these factors of the value that it reads, which makes a weight row-parallel. */
export function sumsOver({ node, slot }: Reading, isMeant: (factor: Factor) => boolean): boolean {
  const isSummed = node.rule?.summed?.includes(slot) ?? true;
  return isSummed && node.contracted.some((dim) => leavesOf(dim).some(isMeant));
}
