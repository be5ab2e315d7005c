import type { Graph, GraphNode } from "../graph/graph.js";
import { type AppendedRows, appendedRows } from "./appended-rows.js";
import { type FusedAttention, fusedAttentionOf } from "./fused-attention/index.js";
import { originOf, producersOf } from "./producers.js";
import type { StatePair } from "./state-pairs.js";

/** Where the states of a decoder export come from. */
export interface StateSources {
  readonly appended: readonly AppendedRows[];
  readonly fused: readonly FusedAttention[];
}

/** @throws RR_NO_GENERATE for a state that grows neither by concatenation nor in an attention operator */
export function stateSources(graph: Graph, pairs: readonly StatePair[]): StateSources {
  const producers = producersOf(graph.nodes);
  const appended: AppendedRows[] = [];
  const fused = new Map<GraphNode, FusedAttention>();
  for (const pair of pairs) {
    const node = producers.get(originOf(pair.present.name, producers));
    if (node !== undefined && fused.has(node)) continue;
    const attention = node && fusedAttentionOf(node, graph, pairs);
    if (attention === undefined) appended.push(appendedRows(pair, producers));
    else fused.set(attention.node, attention);
  }
  return { appended, fused: [...fused.values()] };
}
