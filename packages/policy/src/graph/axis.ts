import { type GraphNode, intAttribute } from "@ringrank/model";

/** The axis that an attribute of a node names, counted from the front. */
export function axisOf(node: GraphNode, byDefault: number, rank: number): number {
  return fromFront(intAttribute(node, "axis", byDefault), rank);
}

/** An axis, or an index, counted from the front; a negative one counts from the end. */
export function fromFront(index: number, size: number): number {
  return index < 0 ? index + size : index;
}
