import type { Graph, GraphNode, Weight } from "./graph.js";

/** The contents of a branch, to replace its `If`. */
export interface TakenBranch {
  readonly nodes: readonly GraphNode[];
  readonly weights: ReadonlyMap<string, Weight>;
}

/**
 * The nodes that an `If` runs if it takes the branch `name`, whose outputs get the node's names. Undefined if the node
 * has no such branch.
 */
export function takeBranch(node: GraphNode, name: "then_branch" | "else_branch"): TakenBranch | undefined {
  const branch = node.attributes[name];
  if (branch?.kind !== "graph") return undefined;
  const { nodes, weights, outputs } = branch.value;
  const results = outputs.flatMap(({ name: from }, index): GraphNode[] => {
    const to = node.outputs[index];
    if (to === undefined || to === "" || to === from) return [];
    return [{ opType: "Identity", domain: "", inputs: [from], outputs: [to], attributes: {} }];
  });
  return { nodes: [...nodes, ...results], weights };
}

/** Whether a node is an `If` of ONNX. */
export function isIf({ opType, domain }: Graph["nodes"][number]): boolean {
  return opType === "If" && domain === "";
}
