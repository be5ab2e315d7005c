import { type Graph, type GraphNode, intAttribute } from "@ringrank/model";
import { makeNode } from "../graph/make-node.js";
import { Wiring } from "../graph/wiring.js";

/**
 * Fuses a lookup in an integer table and the following dequantization, `DequantizeLinear(Gather(table, ids))`, to one
 * operator: a row that a rank lacks must be zero after dequantization, which 0 before it is not if there is a zero
 * point.
 */
export function fuseQuantizedLookups(graph: Graph): Graph {
  const wiring = Wiring.of(graph);
  const instead = new Map<GraphNode, readonly GraphNode[]>();
  for (const lookup of graph.nodes) {
    const [table, ids] = lookup.inputs;
    const [rows] = lookup.outputs;
    const dequantizing = isLookup(lookup, graph) ? wiring.soleReadingNode(rows!) : undefined;
    if (dequantizing === undefined || !dequantizesAlike(dequantizing, rows!, graph)) continue;
    const inputs = [table!, ids!, ...dequantizing.inputs.slice(1)];
    instead.set(lookup, []);
    instead.set(dequantizing, [makeNode("ringrank::DequantizedLookup", inputs, dequantizing.outputs)]);
  }
  if (instead.size === 0) return graph;
  return { ...graph, nodes: graph.nodes.flatMap((node) => instead.get(node) ?? [node]) };
}

/** Whether it looks up whole rows of a constant table of 8-bit integers. */
function isLookup(node: GraphNode, { weights }: Graph): boolean {
  const table = weights.get(node.inputs[0] ?? "");
  if (node.opType !== "Gather" || node.domain !== "" || intAttribute(node, "axis", 0) !== 0) return false;
  return (table?.type === "int8" || table?.type === "uint8") && table.dims.length > 1;
}

/** With one scale and zero point for all elements. */
function dequantizesAlike({ opType, domain, inputs }: GraphNode, rows: string, { weights }: Graph): boolean {
  if (opType !== "DequantizeLinear" || domain !== "" || inputs[0] !== rows) return false;
  const isScalar = (name: string): boolean => weights.get(name)?.dims.every((size) => size === 1) ?? false;
  return inputs.slice(1).every((name) => name === "" || isScalar(name));
}
