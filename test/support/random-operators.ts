import type { Value } from "@ringrank/model";
import type { GraphWithContents } from "./split-and-whole.js";
import { TestGraph } from "./test-graph.js";

/** One operator and its operands; fast-check shrinks the choices. */
export interface Choice {
  readonly operator: keyof typeof operators;
  /** An index into the preceding values, counted back from the last one, modulo their number. */
  readonly left: number;
  readonly right: number;
  /** The number of columns that it produces, or the position of a cut. */
  readonly size: number;
}

/** `[batch, width]`. */
interface Rows {
  readonly value: Value;
  readonly width: number;
}

type Apply = (g: TestGraph, left: Rows, right: Rows, size: number) => Rows;

const elementwise =
  (make: (g: TestGraph, x: Value) => Value): Apply =>
  (g, { value, width }) => ({ value: make(g, value), width });

/** Combines two values if they have the same width, else the first with itself. */
const together =
  (make: (g: TestGraph, x: Value, y: Value) => Value): Apply =>
  (g, left, right) => ({
    value: make(g, left.value, right.width === left.width ? right.value : left.value),
    width: left.width,
  });

const reduced =
  (make: (g: TestGraph, x: Value) => Value): Apply =>
  (g, { value }) => ({ value: make(g, value), width: 1 });

/**
 * Every operator takes rows and returns rows, so that any may follow any other. None multiplies or divides by a single
 * number: if the scaled value is also multiplied by a matrix, ONNX Runtime 1.30 fuses both, and then refuses its own
 * graph.
 */
const operators = {
  product: (g, { value, width }, _, size) => ({
    value: g.matmul(value, g.parameter([width, size])),
    width: size,
  }),
  "product turned": (g, { value, width }, _, size) => ({
    value: g.matmulTransposed(value, g.parameter([size, width])),
    width: size,
  }),
  add: together((g, x, y) => g.add(x, y)),
  subtract: together((g, x, y) => g.sub(x, y)),
  multiply: together((g, x, y) => g.mul(x, y)),
  greater: together((g, x, y) => g.max(x, y)),
  "bias added": (g, { value, width }) => ({ value: g.add(value, g.parameter([width])), width }),
  scaled: (g, { value, width }) => ({
    value: width === 1 ? g.tanh(value) : g.mul(value, g.parameter([width])),
    width,
  }),
  "number added": elementwise((g, x) => g.add(x, g.numbers([0.5]))),
  tanh: elementwise((g, x) => g.tanh(x)),
  relu: elementwise((g, x) => g.relu(x)),
  negative: elementwise((g, x) => g.apply("Neg", [x])),
  softmax: elementwise((g, x) => g.softmax(x)),
  sum: reduced((g, x) => g.reduceSum(x, [1])),
  greatest: reduced((g, x) => g.reduceMax(x, [1])),
  normalized: (g, { value, width }) => ({
    value: g.rmsNormalization(value, g.parameter([width]), 1e-2),
    width,
  }),
  mean: reduced((g, x) => g.apply("ReduceMean", [x, g.integers([1])])),
  least: reduced((g, x) => g.apply("ReduceMin", [x, g.integers([1])])),
  "running sum": elementwise((g, x) => g.apply("CumSum", [x, g.integer(1)])),
  chosen: together((g, x, y) => g.where(g.apply("Greater", [x, y]), x, g.apply("Neg", [y]))),
  "softmax by units": (g, { value, width }, _, size) => {
    const units = width % size === 0 ? size : 1;
    return { value: g.reshape(g.softmax(g.reshape(value, [0, units, width / units])), [0, width]), width };
  },
  tiled: (g, { value, width }) => ({ value: g.apply("Tile", [value, g.integers([1, 2])]), width: 2 * width }),
  padded: (g, { value, width }, _, size) => ({
    value: g.apply("Pad", [value, g.integers([0, size % 3, 0, 1])]),
    width: width + (size % 3) + 1,
  }),
  joined: (g, left, right) => ({
    value: g.concat([left.value, right.value], 1),
    width: left.width + right.width,
  }),
  "cut in front": (g, { value, width }, _, size) => {
    const start = size % width;
    return { value: g.slice(value, g.integers([start]), undefined, 1), width: width - start };
  },
  "cut behind": (g, { value, width }, _, size) => {
    const end = 1 + (size % width);
    return { value: g.slice(value, g.integers([0]), g.integers([end]), 1), width: end };
  },
  halves: (g, { value, width }, _, size) => {
    if (width % 2 === 1) return { value: g.relu(value), width };
    return { value: g.split(value, [width / 2, width / 2], 1)[size % 2]!, width: width / 2 };
  },
  "turned by units": (g, { value, width }, _, size) => {
    const units = width % size === 0 ? size : 1;
    const apart = g.transpose(g.reshape(value, [0, units, width / units]), [0, 2, 1]);
    return { value: g.reshape(apart, [0, width]), width };
  },
  "other columns": (g, { value, width }, _, size) => {
    const indices = Array.from({ length: size }, (_, at) => (3 * at + size) % width);
    return { value: g.gather(value, g.integers(indices), 1), width: size };
  },
} satisfies Record<string, Apply>;

export const operatorNames = Object.keys(operators) as (keyof typeof operators)[];

/**
 * `x [batch, 6]` through the chosen operators, each applied to any preceding values. The last value is an output, and
 * so are some that others may be computed from: sums that ranks owe there must be reduced, and not again after them.
 *
 * @param early the values that are outputs, counted like those of {@link Choice}
 */
export function randomOperators(choices: readonly Choice[], early: readonly number[]): GraphWithContents {
  const g = new TestGraph();
  const values: Rows[] = [{ value: g.input("x", "float32", ["batch", 6]), width: 6 }];
  for (const { operator, left, right, size } of choices) {
    const [one, other] = [left, right].map((back) => earlier(values, back)) as [Rows, Rows];
    values.push(operators[operator](g, one, other, size));
  }
  const made = values.slice(1);
  const given = new Set([made.at(-1)!, ...early.map((back) => earlier(made, back))]);
  for (const [index, { value, width }] of [...given].entries())
    g.output(`y${index}`, value, "float32", ["batch", width]);
  return { graph: g.build(), contents: g.contents };
}

function earlier(values: readonly Rows[], back: number): Rows {
  return values.at(-1 - (back % values.length))!;
}
