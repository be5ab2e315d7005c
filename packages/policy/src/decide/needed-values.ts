import { keptStates } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import { givenOutputs } from "../analysis/given-outputs.js";
import type { Placement } from "./placement.js";

/**
 * The required values, and those that are read to compute them. What is kept for the next step is only required if that
 * will read it.
 *
 * @param reads whether input `slot` of a node is read, if one of its outputs is needed
 * @param more values that are required in addition to outputs and exchanged values
 */
export function neededFor(
  { nodes, graph }: FactoredGraph,
  { paid, gathered }: Placement,
  reads: (node: number, slot: number) => boolean,
  more: Iterable<string> = [],
): ReadonlySet<string> {
  const needed = new Set([...givenOutputs(graph), ...paid, ...gathered.keys(), ...more]);
  const states = keptStates(graph);
  for (;;) {
    for (let index = nodes.length - 1; index >= 0; index--) {
      const { node } = nodes[index]!.operator;
      if (!node.outputs.some((name) => needed.has(name))) continue;
      node.inputs.forEach((name, slot) => {
        if (name !== "" && reads(index, slot)) needed.add(name);
      });
    }
    const kept = states.filter(({ past, present }) => needed.has(past) && !needed.has(present));
    if (kept.length === 0) return needed;
    for (const { present } of kept) needed.add(present);
  }
}
