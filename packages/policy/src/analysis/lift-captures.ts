import { type Branch, type Graph, type GraphNode, isIf, readsOf, type Weight } from "@ringrank/model";
import { FreshNames } from "../fresh-names.js";

/**
 * A graph in which an `If` has all that its branches read as inputs of its own, after the condition, so that every edge
 * can be seen on its nodes. Weights of a branch are the graph's, then, and read as any other weight is.
 *
 * @param graph whose branches have names apart
 */
export function liftCaptures(graph: Graph): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const lift = new Lift(graph);
  const nodes = graph.nodes.map((node) => (isIf(node) ? withCaptures(lift.node(node)) : node));
  return { ...graph, nodes, weights: lift.weights };
}

class Lift {
  /** Of the graph, and those lifted out of branches. */
  readonly weights: Map<string, Weight>;
  readonly #names: FreshNames;

  constructor(graph: Graph) {
    this.weights = new Map(graph.weights);
    const values = new Set(valuesOf(graph));
    this.#names = new FreshNames((name) => values.has(name));
  }

  node(node: GraphNode): GraphNode {
    const attributes = Object.entries(node.attributes).map(([key, attribute]) => [
      key,
      attribute.kind === "graph" ? { ...attribute, value: this.#branch(attribute.value) } : attribute,
    ]);
    return { ...node, attributes: Object.fromEntries(attributes) };
  }

  #branch(branch: Branch): Branch {
    const given = new Set(branch.outputs.map(({ name }) => name));
    const copies = Array.from(branch.weights, ([name, weight]): GraphNode[] => {
      // What a branch gives has to be made in it.
      const lifted = given.has(name) ? this.#names.after(name) : name;
      this.weights.set(lifted, weight);
      if (lifted === name) return [];
      return [{ opType: "Identity", domain: "", inputs: [lifted], outputs: [name], attributes: {} }];
    });
    const nodes = branch.nodes.map((node) => this.node(node));
    return { ...branch, nodes: [...copies.flat(), ...nodes], weights: new Map() };
  }
}

/** Names of all values, those inside branches included. */
function valuesOf({ inputs, weights, nodes }: Branch): string[] {
  const made = nodes.flatMap(({ outputs, attributes }) => [
    ...outputs,
    ...Object.values(attributes).flatMap((one) => (one.kind === "graph" ? valuesOf(one.value) : [])),
  ]);
  return [...inputs.map(({ name }) => name), ...weights.keys(), ...made];
}

function withCaptures(node: GraphNode): GraphNode {
  const captured = readsOf(node);
  captured.delete(node.inputs[0]!);
  return { ...node, inputs: [node.inputs[0]!, ...captured] };
}
