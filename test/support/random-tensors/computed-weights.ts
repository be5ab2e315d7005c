import type { Value } from "@ringrank/model";
import type { TestGraph } from "../test-graph.js";
import { type Apply, mostElements, pick, product, unchanged } from "./tensor.js";

type Weight = (g: TestGraph, inputs: number, outputs: number, by: number) => Value;

/** Ways to compute a matrix `[inputs, outputs]` from parameters; `outputs` is even. */
const weights: readonly Weight[] = [
  // A change of low rank: https://arxiv.org/abs/2106.09685.
  (g, inputs, outputs, by) => {
    const rank = 1 + (by % 3);
    const change = g.matmul(g.parameter([inputs, rank]), g.parameter([rank, outputs]));
    return g.add(g.parameter([inputs, outputs]), change);
  },
  // Direction and length: https://arxiv.org/abs/1602.07868.
  (g, inputs, outputs) => {
    const direction = g.parameter([inputs, outputs]);
    const length = g.apply("ReduceL2", [direction, g.integers([0])]);
    return g.mul(g.div(direction, length), g.parameter([outputs]));
  },
  (g, inputs, outputs) =>
    g.concat([g.parameter([inputs, outputs / 2]), g.parameter([inputs, outputs / 2])], 1),
  (g, inputs, outputs) =>
    g.slice(g.parameter([inputs, outputs + 3]), g.integers([2]), g.integers([2 + outputs]), 1),
  (g, inputs, outputs, by) =>
    pick(g.split(g.parameter([inputs, 3 * outputs]), [outputs, outputs, outputs], 1), by),
  (g, inputs, outputs) =>
    g.reshape(g.transpose(g.parameter([outputs / 2, inputs, 2]), [1, 0, 2]), [inputs, outputs]),
  (g, inputs, outputs, by) => g.gather(g.parameter([3, inputs, outputs]), g.integer(by % 3), 0),
  (g, inputs, outputs) => g.apply("Tile", [g.parameter([inputs, outputs / 2]), g.integers([1, 2])]),
  (g, inputs, outputs) => g.expand(g.parameter([inputs, 1]), g.integers([inputs, outputs])),
  (g, inputs, outputs) => {
    const weight = g.parameter([inputs, outputs]);
    return g.where(g.greater(weight, g.numbers([0])), weight, g.numbers([0]));
  },
];

/** Products with matrices that the graph computes from its parameters. */
export const computedWeights = {
  "product with a computed weight": (given) => {
    const { g, x, one, two } = given;
    const [inputs, outputs] = [x.dims.at(-1), 2 * (1 + (two % 4))];
    if (typeof inputs !== "number" || x.dims.length < 2) return unchanged(given);
    if ((product(x.dims) / inputs) * outputs > mostElements) return unchanged(given);
    const weight = pick(weights, one)(g, inputs, outputs, two);
    return { value: g.matmul(x.value, weight), dims: [...x.dims.slice(0, -1), outputs] };
  },
} satisfies Record<string, Apply>;
