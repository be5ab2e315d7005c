import type { FactoredGraph } from "./factored-graph.js";
import { isParameter } from "./roles.js";

/**
 * Whether `name` is one row of `width` float32 parameters that a single node reads. A rank may only apply such a row
 * itself: it holds what it applies in its own memory, and a session that also read it would hold it a second time.
 */
export function isOwnRow(
  name: string,
  width: number,
  { graph, wiring }: Pick<FactoredGraph, "graph" | "wiring">,
): boolean {
  const weight = graph.weights.get(name);
  if (weight === undefined || !isParameter(weight) || wiring.soleReader(name) === undefined) return false;
  const { type, dims } = weight;
  return type === "float32" && dims.at(-1) === width && dims.slice(0, -1).every((size) => size === 1);
}
