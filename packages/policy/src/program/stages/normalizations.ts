import { floatAttribute } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import { isOwnRow } from "../../analysis/own-rows.js";
import type { Placement } from "../../decide/placement.js";
import { axisOf } from "../../graph/axis.js";
import { operatorName } from "../../graph/operator-name.js";
import { subtractsMean } from "../../graph/row-norms.js";
import type { NormalizeStep } from "../program.js";
import type { ProductApart } from "./products-apart.js";

/**
 * A normalization that ranks compute themselves if they run its node: a {@link NormalizeStep} in names of the whole
 * graph.
 */
export interface NormalizedValue {
  /** Index in the whole graph. */
  readonly node: number;
  readonly value: string;
  readonly output: string;
  readonly scale: string;
  readonly bias?: string;
  readonly epsilon: number;
  readonly centered: boolean;
}

/**
 * Normalizations of all-reduced values, which are moved out of the segments that they start: a rank has the sum at hand
 * when its collective ends, and normalizing a row then costs less than one more operator in a session. Also
 * normalizations that separate products read: the rest of the segments that they end may then have no weights.
 *
 * Only those are moved whose parameters nothing else reads, and whose value is not an output: whatever a rank computes
 * itself must be in memory of its own. This is decided on the whole graph, so that all ranks round a value alike.
 */
export function findNormalizations(
  factored: FactoredGraph,
  { paid, largest }: Pick<Placement, "paid" | "largest">,
  products: readonly ProductApart[],
): NormalizedValue[] {
  const { graph, nodes, shapes } = factored;
  const given = new Set(graph.outputs.map(({ name }) => name));
  const multiplied = new Set(products.map(({ value }) => value));

  return nodes.flatMap(({ operator }, index): NormalizedValue[] => {
    const { node } = operator;
    const centered = subtractsMean.get(operatorName(node));
    const [value, scale, bias] = node.inputs;
    const [output, ...statistics] = node.outputs;
    if (centered === undefined || value === undefined || scale === undefined || output === undefined)
      return [];
    if (!(paid.has(value) || multiplied.has(output)) || largest.has(value)) return [];
    if (graph.weights.has(value)) return [];
    if (given.has(output) || statistics.some((name) => name !== "")) return [];
    const { type, dims } = shapes.get(value)!;
    const [width, widest] = dims.at(-1) ?? [0, 1];
    const axis = axisOf(node, -1, dims.length);
    if (type !== "float32" || width !== widest || axis !== dims.length - 1) return [];
    const hasBias = bias !== undefined && bias !== "";
    if (![scale, ...(hasBias ? [bias] : [])].every((name) => isOwnRow(name, width, factored))) return [];
    const epsilon = floatAttribute(node, "epsilon", 1e-5);
    return [{ node: index, value, output, scale, ...(hasBias && { bias }), epsilon, centered }];
  });
}
