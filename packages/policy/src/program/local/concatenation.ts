import type { GraphNode } from "@ringrank/model";
import { axisOf } from "../../graph/axis.js";
import { operatorName } from "../../graph/operator-name.js";
import type { Wiring } from "../../graph/wiring.js";
import type { LocalValues } from "./local-values.js";

/** A Concat along the last axis, and what it puts side by side, in its order. */
export interface Concatenation<Part> {
  readonly node: GraphNode;
  readonly parts: readonly Part[];
}

/**
 * What becomes of a value that is only read by a Concat along the last axis, together with other parts of which that is
 * true as well. Whoever computes all of them can then write them side by side, and the Concat is not needed.
 *
 * @param partOf by name: the values that are computed together
 */
export function concatenationOf<Part>(
  value: string,
  partOf: ReadonlyMap<string, Part>,
  wiring: Wiring,
  values: LocalValues,
): Concatenation<Part> | undefined {
  const node = wiring.soleReadingNode(value);
  if (node === undefined || !joinsColumns(node, values)) return undefined;
  const parts = node.inputs.flatMap((name) =>
    wiring.soleReadingNode(name) === node ? (partOf.get(name) ?? []) : [],
  );
  return parts.length === node.inputs.length ? { node, parts } : undefined;
}

function joinsColumns(node: GraphNode, values: LocalValues): boolean {
  const axes = values.get(node.inputs[0]!)?.dims.length;
  return operatorName(node) === "Concat" && axes !== undefined && axisOf(node, 0, axes) === axes - 1;
}
