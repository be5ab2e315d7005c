import type { Attribute, ConstantTensor, GraphNode } from "@ringrank/model";
import { ownDomain } from "./own-domain.js";

/** The nodes that replace a node; undefined if it stays as it is. */
export type Lowering = (node: GraphNode, maker: Maker) => readonly GraphNode[] | undefined;

/** What a lowering may query and create. */
export interface Maker {
  /** Sizes of a constant of the graph; undefined for a computed value. */
  dims(name: string): readonly number[] | undefined;
  /** A new constant; returns its name. */
  constant(tensor: ConstantTensor): string;
  /** A name for a new value. */
  value(): string;
}

/** A node of the default domain, or of `operator@domain`. */
export function part(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): GraphNode {
  const [opType = "", domain = ""] = operator.split("@");
  return { opType, domain, inputs: withoutTail(inputs), outputs, attributes };
}

/** A node in {@link ownDomain}. */
export function ownPart(
  opType: string,
  node: Pick<GraphNode, "inputs" | "outputs" | "attributes">,
): GraphNode {
  return { ...node, opType, domain: ownDomain };
}

function withoutTail(inputs: readonly string[]): readonly string[] {
  const last = inputs.findLastIndex((name) => name !== "");
  return inputs.slice(0, last + 1);
}
