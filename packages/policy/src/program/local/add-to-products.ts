import { type GraphNode, readsOf } from "@ringrank/model";
import { operatorName } from "../../graph/operator-name.js";
import { Wiring } from "../../graph/wiring.js";
import type { NormalizeStep } from "../program.js";
import { withOutputs } from "./local-products.js";
import { type LocalStage, readApart } from "./local-stage.js";
import type { LocalValues } from "./local-values.js";

/**
 * If a product is normalized next, the normalization step also adds what is added to the product, as with a sum over
 * ranks: for example a residual, if ranks have no sum to reduce. The product then has the sum's name, and no segment
 * contains the Add.
 *
 * @param outputs names of the entry's outputs
 */
export function addToProducts(
  stages: readonly LocalStage[],
  values: LocalValues,
  outputs: readonly string[],
): LocalStage[] {
  const nodes = stages.flatMap((stage) => stage.nodes);
  const wiring = new Wiring(nodes, [...stages.flatMap(readApart), ...outputs]);
  const products = new Set(stages.flatMap((stage) => stage.products.flatMap((step) => step.outputs)));
  const named = new Map(Array.from(products, ({ name }) => [name, name]));
  const superfluous = new Set<GraphNode>();

  const adding = stages.map((stage): LocalStage => {
    const normalizations = stage.normalizations.map((step) => addBefore(step, stage));
    return { ...stage, normalizations };
  });
  return adding.map((stage) => ({
    ...stage,
    nodes: stage.nodes.filter((node) => !superfluous.has(node)),
    products: stage.products.map((step) => {
      const outputs = step.outputs.map((output) => ({ ...output, name: named.get(output.name)! }));
      return withOutputs(step, outputs);
    }),
  }));

  /** The step, including what a node of its own stage adds to a product. */
  function addBefore(step: NormalizeStep, stage: LocalStage): NormalizeStep {
    const add = stage.nodes.find((node) => node.outputs[0] === step.value);
    if (add === undefined || operatorName(add) !== "Add" || superfluous.has(add)) return step;
    const product = add.inputs.find((name) => named.has(name) && wiring.soleReader(name) !== undefined);
    const value = add.inputs.find((name) => name !== product);
    if (product === undefined || value === undefined || !haveOneShape(product, value)) return step;
    // Nothing may read the sum before it is complete.
    const others = stage.normalizations.filter((other) => other.value !== step.value);
    const readBefore = [
      ...stage.nodes.flatMap((node) => [...readsOf(node)]),
      ...readApart({ ...stage, normalizations: others }),
    ];
    if (readBefore.includes(step.value)) return step;
    named.set(product, step.value);
    superfluous.add(add);
    return { ...step, added: { rows: [], value } };
  }

  /** Then both are values, not weights. */
  function haveOneShape(one: string, other: string): boolean {
    const [first, second] = [one, other].map((name) => values.get(name));
    return first !== undefined && JSON.stringify(first) === JSON.stringify(second);
  }
}
