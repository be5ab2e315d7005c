import type { Attribute, Branch, GraphNode } from "./graph.js";

/** A node's attributes, with each graph among them (the branches of an `If`) replaced by the result of `change`. */
export function mapBranches(
  { attributes }: GraphNode,
  change: (branch: Branch) => Branch,
): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]): [string, Attribute] => [
      name,
      attribute.kind === "graph" ? { ...attribute, value: change(attribute.value) } : attribute,
    ]),
  );
}
