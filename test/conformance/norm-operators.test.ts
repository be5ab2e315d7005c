import type { Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { microsoft, type TestGraph } from "../support/test-graph.js";

/** Norms, reductions and Einsum, between two projections by weights, compared with ONNX Runtime unsplit. */

const [width, inner] = [12, 10];

function hidden(g: TestGraph): Value {
  return g.input("x", "float32", ["batch", "sequence", width]);
}

/** A feed-forward, whose result ranks owe as a sum over its inner width. */
function feedForward(g: TestGraph, x: Value): Value {
  return g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, width]));
}

/** `[batch, sequence, 5, 2]`: a projection whose columns form two axes. */
function twoAxes(g: TestGraph): Value {
  return g.reshape(g.matmul(hidden(g), g.parameter([width, inner])), [0, 0, 5, 2]);
}

const cases: readonly OperatorCase[] = [
  ...["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"].map(
    (operator): OperatorCase => ({
      operator: `${operator}@${microsoft}`,
      says: "normalizes a sum, which is also an output, over an unsharded width",
      build: (g) => {
        const x = hidden(g);
        const vectors = Array.from({ length: operator.includes("Simplified") ? 2 : 3 }, () =>
          g.parameter([width]),
        );
        const [y, , , sum] = g.applyAll(`${operator}@${microsoft}`, [feedForward(g, x), x, ...vectors], 4);
        g.output("y", feedForward(g, y!), "float32", []);
        g.output("sum", sum!, "float32", []);
      },
      // The inner width of both feed-forwards, which have one role, and the columns of the last.
      shards: [inner, width],
    }),
  ),
  {
    operator: "SimplifiedLayerNormalization",
    says: "normalizes over an unsharded width",
    build: (g) => {
      const y = g.apply("SimplifiedLayerNormalization", [feedForward(g, hidden(g)), g.parameter([width])]);
      g.output("y", y, "float32", []);
    },
    shards: [inner],
  },
  ...["LayerNormalization", "RMSNormalization"].map(
    (operator): OperatorCase => ({
      operator,
      says: "accepts a scale with more axes than it normalizes, of which ranks hold shares",
      build: (g) =>
        g.output("y", g.apply(operator, [twoAxes(g), g.parameter([5, 2])], { axis: -1 }), "float32", []),
      shards: [5],
    }),
  ),
  {
    operator: "LpNormalization",
    says: "keeps its axis whole",
    build: (g) => g.output("y", g.apply("LpNormalization", [twoAxes(g)], { axis: -1 }), "float32", []),
    shards: [5],
  },
  {
    operator: "ReduceL1",
    says: "sums over its axes",
    build: (g) => {
      const sums = g.apply("ReduceL1", [twoAxes(g), g.integers([2])]);
      g.output("y", g.sqrt(sums), "float32", []);
    },
    shards: [5, 2],
  },
  ...["ReduceLogSumExp", "ReduceMax", "ReduceL2"].map(
    (operator): OperatorCase => ({
      operator,
      says: "keeps its axes whole",
      build: (g) => g.output("y", g.apply(operator, [twoAxes(g), g.integers([2])]), "float32", []),
      shards: [2],
    }),
  ),
  {
    operator: "Einsum",
    says: "contracts labels that the result lacks, and broadcasts under an ellipsis",
    build: (g) => {
      const x = hidden(g);
      const up = g.apply("Einsum", [x, g.parameter([width, 5, 2])], { equation: "...w,whl->...hl" });
      const down = g.apply("Einsum", [g.relu(up), g.parameter([5, 2, width])], {
        equation: "...hl,hlw->...w",
      });
      g.output("y", down, "float32", []);
    },
    shards: [5, 2, width],
  },
  {
    operator: `FastGelu@${microsoft}`,
    says: "adds a bias to every element",
    build: (g) => {
      const up = g.matmul(hidden(g), g.parameter([width, inner]));
      const y = g.apply(`FastGelu@${microsoft}`, [up, g.parameter([inner])]);
      g.output("y", g.matmul(y, g.parameter([inner, width])), "float32", []);
    },
    shards: [inner, width],
  },
  {
    operator: `BiasGelu@${microsoft}`,
    says: "adds a bias to every element",
    build: (g) => {
      const up = g.matmul(hidden(g), g.parameter([width, inner]));
      const y = g.apply(`BiasGelu@${microsoft}`, [up, g.parameter([inner])]);
      g.output("y", g.matmul(y, g.parameter([inner, width])), "float32", []);
    },
    shards: [inner, width],
  },
];

describeOperators(cases);
