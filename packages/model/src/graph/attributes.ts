import type { Attribute, GraphNode } from "./graph.js";

/** Attributes of a node, by their ONNX type: a number alone does not say whether it is an int or a float. */
export const int = (value: number): Attribute => ({ kind: "int", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const string = (value: string): Attribute => ({ kind: "string", value });

/** A number as an int64. Bounds such as "to the end" are rounded, or infinite, and become the largest int64. */
export function toInt64(value: number): bigint {
  if (value >= 2 ** 63) return 2n ** 63n - 1n;
  return value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value);
}

/** The value of a node's attribute; `otherwise` if there is none with this name and type. */
export function intAttribute({ attributes }: GraphNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

export function floatAttribute({ attributes }: GraphNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "float" ? attribute.value : otherwise;
}

export function stringAttribute({ attributes }: GraphNode, name: string, otherwise: string): string {
  const attribute = attributes[name];
  return attribute?.kind === "string" ? attribute.value : otherwise;
}

export function intsAttribute({ attributes }: GraphNode, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}
