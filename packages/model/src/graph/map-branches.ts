import type { Attribute, Branch, GraphNode } from "./graph.js";

/** A node's attributes, with what `change` makes of the graphs among them (the branches of an `If`). */
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
