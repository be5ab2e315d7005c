import type { Value } from "@ringrank/model";
import { describeOperators } from "../support/operator-cases.js";
import type { TestGraph } from "../support/test-graph.js";

const [width, heads, lanes] = [12, 4, 6] as const;

/** A projection as `[batch, sequence, heads, lanes]`. */
function projected(g: TestGraph): Value {
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  return g.reshape(g.matmul(x, g.parameter([width, heads * lanes])), [0, 0, heads, lanes]);
}

const toTheEnd = (g: TestGraph, ends: readonly bigint[]): Value =>
  g.constant({ type: "int64", dims: [ends.length], data: BigInt64Array.from(ends) });

describeOperators([
  {
    operator: "Squeeze",
    says: "without axes keeps an axis of which a rank has one unit",
    build(g) {
      const apart = g.reshape(projected(g), [0, 0, 1, 2, 2, lanes]);
      g.output("y", g.apply("Squeeze", [apart]), "float32", ["batch", "sequence", 2, 2, lanes]);
    },
    shards: [2, 2, lanes],
  },
  {
    operator: "Squeeze",
    says: "treats an empty list of axes like none",
    build(g) {
      const apart = g.reshape(projected(g), [0, 0, 1, 2, 2, lanes]);
      g.output("y", g.apply("Squeeze", [apart, g.integers([])]), "float32", [
        "batch",
        "sequence",
        2,
        2,
        lanes,
      ]);
    },
    shards: [2, 2, lanes],
  },
  {
    operator: "Size",
    says: "counts the elements of all ranks",
    build(g) {
      const x = projected(g);
      g.output("y", g.div(x, g.cast(g.apply("Size", [x]), "float32")), "float32", []);
    },
    shards: [heads, lanes],
  },
  {
    operator: "Slice",
    says: "begins at the front if told to begin before it",
    build(g) {
      const sliced = g.apply("Slice", [projected(g), g.integers([-10]), g.integers([3]), g.integers([2])]);
      g.output("y", sliced, "float32", []);
    },
    // The three heads in the range; the one after it is not a factor.
    shards: [heads - 1, lanes],
  },
  {
    operator: "Slice",
    says: "slices two axes at once, one of them to the end",
    build(g) {
      const bounds = [g.integers([1, 2]), toTheEnd(g, [3n, 2n ** 63n - 1n]), g.integers([2, 3])];
      g.output("y", g.apply("Slice", [projected(g), ...bounds]), "float32", []);
    },
    // Two heads in the range; two lanes before the range, and four in it.
    shards: [2, 2, 4],
  },
  {
    operator: "Slice",
    says: "keeps an axis whole that it reverses, since shares would change places",
    build(g) {
      const bounds = [[-1], [-1 - heads], [2], [-1]].map((bound) => g.integers(bound));
      g.output("y", g.apply("Slice", [projected(g), ...bounds]), "float32", []);
    },
    shards: [lanes],
  },
  {
    operator: "Div",
    says: "of integers divides the sum of all ranks, not each rank's share",
    build(g) {
      const whole = g.cast(g.mul(projected(g), g.numbers([37])), "int64");
      const sum = g.apply("ReduceSum", [whole, g.integers([2])]);
      g.output("y", g.div(sum, g.integer(7)), "int64", []);
    },
    shards: [heads, lanes],
  },
  ...[[9], [9, 2, 3]].map((dims) => ({
    operator: "Gather",
    says: `looks up rows of ${dims.length - 1} axes in a table that ranks share`,
    build(g: TestGraph) {
      const ids = g.input("ids", "int64", ["batch", "sequence"]);
      g.output("y", g.gather(g.parameter(dims), ids, 0), "float32", []);
    },
    shards: dims,
  })),
  ...[[], [1], [heads, lanes], [1, 1, heads, 1]].map((target) => ({
    operator: "Expand",
    says: `to [${target}] keeps the leading axes that the target does not name`,
    build(g: TestGraph) {
      g.output("y", g.expand(projected(g), g.integers(target)), "float32", []);
    },
    shards: [heads, lanes],
  })),
  {
    operator: "CastLike",
    says: "reads a type from a value of any shape",
    build(g) {
      const like = g.numbers([1, 2, 3, 4, 5], [5, 1, 1, 1, 1]);
      g.output("y", g.apply("CastLike", [projected(g), like]), "float32", []);
    },
    shards: [heads, lanes],
  },
  {
    operator: "OneHot",
    says: "needs both of its values whole on every rank",
    build(g) {
      const places = g.cast(g.abs(projected(g)), "int64");
      const y = g.apply("OneHot", [places, g.integer(3), g.parameter([2])]);
      g.output("y", y, "float32", ["batch", "sequence", heads, lanes, 3]);
    },
    shards: [heads, lanes],
  },
  {
    operator: "EyeLike",
    says: "has the shape of the whole value",
    build(g) {
      const up = g.matmul(g.input("x", "float32", ["batch", width]), g.parameter([width, 7]));
      g.output("y", g.apply("EyeLike", [up]), "float32", []);
      g.output("z", g.matmul(up, g.parameter([7, 5])), "float32", []);
    },
    shards: [5],
  },
  {
    operator: "Split",
    says: "may output a part without elements",
    build(g) {
      const parts = g.split(projected(g), [0, 1, heads - 1], 2);
      g.output("y", g.concat(parts, 2), "float32", []);
    },
    shards: [heads - 1, lanes],
  },
  {
    operator: "Concat",
    says: "concatenates a parameter without elements",
    build(g) {
      const x = g.input("x", "float32", [3, width]);
      const joined = g.concat([g.matmul(x, g.parameter([width, heads])), g.parameter([3, 0])], 1);
      g.output("y", g.matmul(g.relu(joined), g.parameter([heads, width])), "float32", []);
    },
    shards: [heads, width],
  },
  {
    operator: "MatMul",
    says: "over an axis without elements is zero",
    build(g) {
      const x = g.input("x", "float32", ["batch", width]);
      const zero = g.matmul(g.matmul(x, g.parameter([width, 0])), g.parameter([0, width]));
      g.output("y", g.matmul(g.add(x, zero), g.parameter([width, heads])), "float32", []);
    },
    shards: [heads],
  },
]);
