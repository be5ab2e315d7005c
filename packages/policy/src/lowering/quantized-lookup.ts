import { type Graph, type GraphNode, intAttribute } from "@ringrank/model";
import { Wiring } from "../analysis/wiring.js";
import { ownPart } from "./lowering.js";

/**
 * Fuses a lookup in an integer table and the following dequantization, `DequantizeLinear(Gather(table, ids))`, to one
 * operator: a row that a rank lacks must be zero after dequantization, which 0 before it is not if there is a zero
 * point.
 */
export function fuseQuantizedLookups(graph: Graph): Graph {
  const wiring = new Wiring(graph.nodes, graph.outputs);
  const fused = new Map<GraphNode, GraphNode>();
  for (const lookup of graph.nodes) {
    const [table, ids] = lookup.inputs;
    const [rows] = lookup.outputs;
    const reader = isLookup(lookup, graph) ? wiring.soleReader(rows!) : undefined;
    if (reader === undefined || !dequantizesAlike(wiring.node(reader), rows!, graph)) continue;
    const { inputs, outputs: made } = wiring.node(reader);
    fused.set(
      wiring.node(reader),
      ownPart("DequantizedLookup", {
        inputs: [table!, ids!, ...inputs.slice(1)],
        outputs: made,
        attributes: {},
      }),
    );
    fused.set(lookup, lookup);
  }
  if (fused.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => {
    const other = fused.get(node);
    return other === undefined ? [node] : other === node ? [] : [other];
  });
  return { ...graph, nodes };
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
