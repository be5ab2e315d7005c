import { type Branch, type Graph, type GraphNode, isIf, mapBranches, type Weight } from "@ringrank/model";
import { FreshNames } from "../graph/fresh-names.js";

/**
 * A graph in which no branch of an `If` defines a name that is defined around it, or in another branch. In a file a
 * name must differ from those that can be seen from it, so branches that do not see each other may use one alike
 * (https://github.com/onnx/onnx/blob/main/docs/IR.md#names-within-a-graph); put in place of their nodes, or with their
 * weights lifted out, they do.
 */
export function nameBranchesApart(graph: Graph): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const defined = new Set([...graph.inputs.map(({ name }) => name), ...definitionsOf(graph)]);
  const names = new FreshNames((name) => defined.has(name));
  const nodes = graph.nodes.map((node) => nodeApart(node, { names, defined, renamed: new Map() }));
  return { ...graph, nodes };
}

interface Surroundings {
  readonly names: FreshNames;
  /** Names that are taken, those of branches that have been passed among them. */
  readonly defined: Set<string>;
  /** New names of values that can be seen. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** The node with its branches' own values under names that nobody else has; what it reads, under its new names. */
function nodeApart(node: GraphNode, around: Surroundings): GraphNode {
  return {
    ...node,
    inputs: node.inputs.map((name) => around.renamed.get(name) ?? name),
    attributes: mapBranches(node, (branch) => branchApart(branch, around)),
  };
}

function branchApart(branch: Branch, { names, defined, renamed: outer }: Surroundings): Branch {
  const renamed = new Map(outer);
  const own = (name: string): string => renamed.get(name) ?? name;
  for (const name of definitionsOf(branch)) {
    renamed.delete(name);
    if (defined.has(name)) renamed.set(name, names.after(name));
    defined.add(own(name));
  }
  const nodes = branch.nodes.map((node) => {
    const apart = nodeApart(node, { names, defined, renamed });
    return { ...apart, outputs: node.outputs.map(own) };
  });
  return {
    ...branch,
    nodes,
    weights: new Map<string, Weight>(Array.from(branch.weights, ([name, weight]) => [own(name), weight])),
    outputs: branch.outputs.map((output) => ({ ...output, name: own(output.name) })),
  };
}

function definitionsOf({ nodes, weights }: Pick<Branch, "nodes" | "weights">): string[] {
  return [...weights.keys(), ...nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ""))];
}
