import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../rules/table.js";

/** Whether a node gives the elements of its first operand, all of them and in order, another place. */
export function isReshaping(node: GraphNode): boolean {
  return operators.has(operatorName(node));
}

const operators: ReadonlySet<string> = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);
