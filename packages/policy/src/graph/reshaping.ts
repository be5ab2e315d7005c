import type { GraphNode } from "@ringrank/model";
import { operatorName } from "./operator-name.js";

/** Whether a node returns all elements of its first operand, in order, in another shape. */
export function isReshaping(node: GraphNode): boolean {
  return operators.has(operatorName(node));
}

const operators: ReadonlySet<string> = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);
