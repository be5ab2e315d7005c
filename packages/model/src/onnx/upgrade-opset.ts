import { int, intAttribute, string } from "../graph/attributes.js";
import type { Branch, Graph, GraphNode, Weight } from "../graph/graph.js";
import { mapBranches } from "../graph/map-branches.js";

/** The operator set in which axes and sizes became inputs, and Softmax became an operator on a single axis. */
const axesAsInputs = 13;
/** The first one in which Shape can return a part of the sizes (15) and LayerNormalization is an operator (17). */
const target = 17;

/**
 * Converts a graph of opset 11 to 16 to opset 17 (https://onnx.ai/onnx/operators/index.html), and returns any other
 * unchanged, so that code that reads or rewrites a graph only has to deal with one form of each operator.
 */
export function upgradeOpset(graph: Graph): Graph {
  const version = graph.opsets[""];
  if (version === undefined || version >= target) return graph;
  const upgraded = new Upgrade(version).branch(graph);
  return { ...graph, ...upgraded, outputs: graph.outputs };
}

class Upgrade {
  readonly #from: number;
  #fresh = 0;

  constructor(from: number) {
    this.#from = from;
  }

  branch(graph: Branch): Branch {
    const weights = new Map<string, Weight>(graph.weights);
    const nodes = graph.nodes.flatMap((node) => this.#node(this.#inner(node), weights));
    return { ...graph, opsets: { ...graph.opsets, "": target }, nodes, weights };
  }

  #inner(node: GraphNode): GraphNode {
    return { ...node, attributes: mapBranches(node, (branch) => this.branch(branch)) };
  }

  #node(node: GraphNode, weights: Map<string, Weight>): readonly GraphNode[] {
    if (node.domain !== "") return [node];
    if (node.opType === "RoiAlign") {
      // The default changed in opset 16.
      return [
        {
          ...node,
          attributes: { coordinate_transformation_mode: string("output_half_pixel"), ...node.attributes },
        },
      ];
    }
    if (this.#from >= axesAsInputs) return [node];
    switch (node.opType) {
      case "Squeeze":
      case "Unsqueeze":
      case "ReduceSum":
        return [this.#attributeAsInput(node, "axes", weights)];
      case "Split":
        return [this.#attributeAsInput(node, "split", weights)];
      case "Softmax":
      case "LogSoftmax":
      case "Hardmax":
        return this.#overFlattened(node);
      case "Dropout": {
        const { ratio: _, ...attributes } = node.attributes;
        return [{ ...node, attributes }];
      }
      default:
        return [node];
    }
  }

  #attributeAsInput(node: GraphNode, attribute: string, weights: Map<string, Weight>): GraphNode {
    const { [attribute]: moved, ...attributes } = node.attributes;
    if (moved?.kind !== "ints") return node;
    const name = this.#name(attribute);
    const data = BigInt64Array.from(moved.value, BigInt);
    weights.set(name, { type: "int64", dims: [data.length], source: { kind: "inline", data } });
    return { ...node, inputs: [node.inputs[0]!, name], attributes };
  }

  /** Before opset 13, all axes from `axis` on counted as one: `Reshape(op(Flatten(x, axis)), Shape(x))`. */
  #overFlattened(node: GraphNode): GraphNode[] {
    const axis = intAttribute(node, "axis", 1);
    const last = { ...node, attributes: { ...node.attributes, axis: int(-1) } };
    if (axis === -1) return [last];
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    const [flat, computed, shape] = [this.#name("flat"), this.#name("computed"), this.#name("shape")];
    return [
      makeNode("Flatten", [input], flat, { axis: int(axis) }),
      { ...last, inputs: [flat], outputs: [computed] },
      makeNode("Shape", [input], shape),
      makeNode("Reshape", [computed, shape], output),
    ];
  }

  /** `·` distinguishes new names from any that a graph is likely to have; a graph with a clash is refused. */
  #name(kind: string): string {
    return `upgraded·${kind}·${this.#fresh++}`;
  }
}

function makeNode(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: GraphNode["attributes"] = {},
): GraphNode {
  return { opType, domain: "", inputs, outputs: [output], attributes };
}
