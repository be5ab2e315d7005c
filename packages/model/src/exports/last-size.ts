import type { Graph, GraphNode } from "../graph/index.js";
import { constantOf, producersOf } from "./producers.js";

/**
 * The last size of a value, `[…, width]`, if the nodes that compute it determine it: a product with a matrix, a
 * reshape, a split. Otherwise undefined.
 */
export function lastSize(name: string, graph: Graph): number | undefined {
  const producers = producersOf(graph.nodes);
  return sizeOf(name);

  function sizeOf(value: string): number | undefined {
    const weight = graph.weights.get(value);
    if (weight !== undefined) return weight.dims.at(-1);
    const node = producers.get(value);
    return node && sizeMadeBy(node, value);
  }

  function sizeMadeBy(node: GraphNode, value: string): number | undefined {
    const [first, second] = node.inputs as [string, string?];
    switch (node.opType) {
      case "MatMul":
        return sizeOf(second!);
      case "MatMulBnb4":
      case "MatMulNBits": {
        const { N } = node.attributes;
        return N?.kind === "int" ? N.value : undefined;
      }
      case "Reshape": {
        const last = constantOf(second!, graph, producers)?.at(-1);
        return last !== undefined && last > 0 ? last : undefined;
      }
      case "Split":
        return constantOf(second ?? "", graph, producers)?.[node.outputs.indexOf(value)];
      case "Add":
        return sizeOf(first) ?? sizeOf(second!);
      case "Cast":
      case "DequantizeLinear":
      case "Identity":
      case "LayerNormalization":
      case "RMSNormalization":
      case "SimplifiedLayerNormalization":
        return sizeOf(first);
      default:
        return undefined;
    }
  }
}
