import type { Attribute, GraphNode } from "@ringrank/model";

type Attributes = Readonly<Record<string, Attribute>>;

/**
 * A new node. Omitted inputs at the end are left out.
 *
 * @param operator its name, with its domain unless that is the default one: `com.microsoft::FusedMatMul`
 * @param outputs names of its outputs, or the name of its only one
 */
export function makeNode(
  operator: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Attributes = {},
): GraphNode {
  const [opType = "", domain = ""] = operator.split("::").reverse();
  const last = inputs.findLastIndex((name) => name !== "");
  return {
    opType,
    domain,
    inputs: inputs.slice(0, last + 1),
    outputs: typeof outputs === "string" ? [outputs] : outputs,
    attributes,
  };
}
