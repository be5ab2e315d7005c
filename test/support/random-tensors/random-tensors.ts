import type { GraphWithContents } from "../split-and-whole.js";
import { TestGraph } from "../test-graph.js";
import { axes } from "./axes.js";
import { channels } from "./channels.js";
import { computedWeights } from "./computed-weights.js";
import { cutting } from "./cutting.js";
import { elementwise } from "./elementwise.js";
import { picking } from "./picking.js";
import { products } from "./products.js";
import { reshaping } from "./reshaping.js";
import { sequences } from "./sequences.js";
import type { Apply, Size, Tensor } from "./tensor.js";

/** One operator and its operands; fast-check shrinks the choices. */
export interface Choice {
  readonly operator: keyof typeof operators;
  /** An index into the preceding values, counted back from the last one, modulo their number. */
  readonly left: number;
  readonly right: number;
  /** Numbers that choose axes, sizes and forms, each modulo the number of choices. */
  readonly one: number;
  readonly two: number;
}

const operators = {
  ...axes,
  ...channels,
  ...computedWeights,
  ...cutting,
  ...elementwise,
  ...picking,
  ...products,
  ...reshaping,
  ...sequences,
} satisfies Record<string, Apply>;

export const operatorNames = Object.keys(operators) as (keyof typeof operators)[];

/**
 * `x [batch, sequence, 6]`, or `[batch, 6]`, through the chosen operators, each applied to any preceding values. The
 * last value is an output, and so are some that others may be computed from.
 *
 * @param early the values that are outputs, counted like those of {@link Choice}
 */
export function randomTensors(
  choices: readonly Choice[],
  early: readonly number[],
  hasSequence: boolean,
): GraphWithContents {
  const g = new TestGraph();
  const dims: Size[] = hasSequence ? ["batch", "sequence", 6] : ["batch", 6];
  const values: Tensor[] = [{ value: g.input("x", "float32", dims), dims }];
  for (const { operator, left, right, one, two } of choices) {
    const [x, y] = [left, right].map((back) => earlier(values, back)) as [Tensor, Tensor];
    values.push(operators[operator]({ g, x, y, one, two }));
  }
  const made = values.slice(1);
  const given = [made.at(-1)!, ...early.map((back) => earlier(made, back))];
  // Some operators return a value unchanged, which may be the input.
  const byValue = new Map(given.map((one) => [one.value, one]));
  byValue.delete(values[0]!.value);
  if (byValue.size === 0) g.output("y", g.relu(values[0]!.value), "float32", dims);
  for (const [index, one] of [...byValue.values()].entries())
    g.output(`y${index}`, one.value, "float32", one.dims);
  return { graph: g.build(), contents: g.contents };
}

function earlier(values: readonly Tensor[], back: number): Tensor {
  return values.at(-1 - (back % values.length))!;
}
