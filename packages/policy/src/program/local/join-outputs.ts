import type { GraphNode } from "@ringrank/model";
import { Wiring } from "../../graph/wiring.js";
import type { ProductOutput } from "../program.js";
import { concatenationOf } from "./concatenation.js";
import { type LocalProducts, withOutputs } from "./local-products.js";
import { type LocalStage, readApart } from "./local-stage.js";
import type { LocalValues } from "./local-values.js";

/**
 * Joins outputs of one step that are only read by a Concat along the last axis: a step can write them side by side
 * directly, in the Concat's order.
 *
 * @param outputs names of the entry's outputs
 */
export function joinOutputs(
  stages: readonly LocalStage[],
  values: LocalValues,
  outputs: readonly string[],
): LocalStage[] {
  const nodes = stages.flatMap((stage) => stage.nodes);
  const wiring = new Wiring(nodes, [...stages.flatMap(readApart), ...outputs]);
  const superfluous = new Set<GraphNode>();
  const joined = stages.map((stage) => ({ ...stage, products: stage.products.map(joinStep) }));
  return joined.map((stage) => ({ ...stage, nodes: stage.nodes.filter((node) => !superfluous.has(node)) }));

  function joinStep(step: LocalProducts): LocalProducts {
    const left = new Map(step.outputs.map((output) => [output.name, output]));
    const outputs = step.outputs.flatMap((output): readonly ProductOutput[] => {
      if (!left.has(output.name)) return [];
      const concatenation = concatenationOf(output.name, left, wiring, values);
      if (concatenation === undefined) return [output];
      const { node, parts } = concatenation;
      for (const { name } of parts) left.delete(name);
      superfluous.add(node);
      return [{ name: node.outputs[0]!, matrices: parts.flatMap(({ matrices }) => matrices) }];
    });
    return withOutputs(step, outputs);
  }
}
