import type { Value } from "@ringrank/model";
import type { TestGraph } from "../test-graph.js";
import { type Apply, float, parameterFor, together } from "./tensor.js";

const each =
  (make: (g: TestGraph, x: Value) => Value): Apply =>
  ({ g, x }) => ({ value: make(g, x.value), dims: x.dims });

/** Element-wise operators, on one value or on two that broadcast. */
export const elementwise = {
  add: together((g, x, y) => g.add(x, y)),
  subtract: together((g, x, y) => g.sub(x, y)),
  "subtract from": together((g, x, y) => g.sub(y, x)),
  multiply: together((g, x, y) => g.mul(x, y)),
  divide: together((g, x, y) => g.div(x, g.add(g.abs(y), g.numbers([0.5])))),
  greatest: together((g, x, y) => g.max(x, y)),
  "sum of three": together((g, x, y) => g.apply("Sum", [x, y, x])),
  "mean of three": together((g, x, y) => g.apply("Mean", [x, y, g.numbers([0.3])])),
  chosen: together((g, x, y) => g.where(g.apply("Greater", [x, y]), x, y)),
  "chosen by a mask": ({ g, x, one, two }) => {
    const mask = g.greater(parameterFor(g, x, one), g.numbers([0]));
    const other = two % 2 === 0 ? g.numbers([0.25]) : parameterFor(g, x, two);
    const value = two % 3 === 0 ? g.where(mask, x.value, other) : g.where(mask, other, x.value);
    return { value, dims: x.dims };
  },
  tanh: each((g, x) => g.tanh(x)),
  relu: each((g, x) => g.relu(x)),
  negative: each((g, x) => g.apply("Neg", [x])),
  "number added": each((g, x) => g.add(g.numbers([0.5]), x)),
  half: each((g, x) => g.cast(g.cast(x, "float16"), "float32")),
  clipped: each((g, x) => g.clip(x, g.numbers([-0.5]), g.numbers([0.7]))),
  squashed: each((g, x) => g.apply("HardSigmoid", [x], { alpha: float(0.3) })),
  leaky: each((g, x) => g.apply("LeakyRelu", [x], { alpha: float(0.1) })),
  slopes: ({ g, x, one }) => ({ value: g.apply("PRelu", [x.value, parameterFor(g, x, one)]), dims: x.dims }),
} satisfies Record<string, Apply>;
