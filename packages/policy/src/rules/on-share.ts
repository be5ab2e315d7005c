import type { Attribute, GraphNode } from "@ringrank/model";
import type { Localization, Operator } from "./rule.js";

/** The same node on this rank's share of its operands, with some attributes changed. */
export function onShare(
  { node }: Operator,
  local: Localization,
  changed: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  return {
    ...node,
    inputs: node.inputs.map((_, slot) => local.input(slot)),
    outputs: node.outputs.map((_, slot) => local.output(slot)),
    attributes: { ...node.attributes, ...changed },
  };
}
