import type { Graph, GraphNode } from "../../graph/index.js";
import { originOf, producersOf } from "../producers.js";
import type { StatePair } from "../state-pairs.js";
import type { AttentionOperator, FusedAttention } from "./fused-attention.js";
import { groupQueryAttention } from "./group-query-attention.js";
import { multiHeadAttention } from "./multi-head-attention.js";
import { onnxAttention } from "./onnx-attention.js";

export type { FusedAttention } from "./fused-attention.js";

const operators: ReadonlyMap<string, AttentionOperator> = new Map([
  ["com.microsoft.GroupQueryAttention", groupQueryAttention],
  ["com.microsoft.MultiHeadAttention", multiHeadAttention],
  [".Attention", onnxAttention],
]);

/** A node as attention over the states that it reads and outputs; undefined for other operators. */
export function fusedAttentionOf(
  node: GraphNode,
  graph: Graph,
  pairs: readonly StatePair[],
): FusedAttention | undefined {
  const operator = operators.get(`${node.domain}.${node.opType}`);
  if (operator === undefined) return undefined;
  const producers = producersOf(graph.nodes);
  const stateAt = (slot: number, output: number): StatePair | undefined => {
    const name = originOf(node.inputs[slot] ?? "", producers);
    const pair = pairs.find(({ past }) => past.name === name);
    return pair && originOf(pair.present.name, producers) === node.outputs[output] ? pair : undefined;
  };
  const [key, value] = [stateAt(operator.past.key, 1), stateAt(operator.past.value, 2)];
  if (key === undefined || value === undefined) return undefined;
  const exact = operator.biases.some((slot) => (node.inputs[slot] ?? "") !== "");
  return { node, key, value, exact, lower: operator.lower };
}
