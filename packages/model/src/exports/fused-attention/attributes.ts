import type { GraphNode } from "../../graph/index.js";
import { notLowered } from "./fused-attention.js";

export function intOf({ attributes }: GraphNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

export function floatOf({ attributes }: GraphNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "float" ? attribute.value : otherwise;
}

/** @throws RR_NO_GENERATE */
export function countOf(node: GraphNode, name: string): number {
  const count = intOf(node, name, 0);
  if (count > 0) return count;
  throw notLowered(node, `no ${name}`);
}
