import type { Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { microsoft, type TestGraph } from "../support/test-graph.js";

/** Operators with a recurrent state, between projections by weights, compared with ONNX Runtime unsplit. */

const [width, lanes, valueLanes, taps] = [12, 8, 6, 4];

const attention = `LinearAttention@${microsoft}`;
const convolution = `CausalConvWithState@${microsoft}`;

interface Counts {
  readonly queries: number;
  readonly keys: number;
  readonly states: number;
}

/**
 * Projections of one input to queries, keys and values with these numbers of heads, and the product that sums over
 * heads.
 */
function mix(
  g: TestGraph,
  { queries, keys, states }: Counts,
  rule: string,
  others: (project: (outputs: number) => Value) => readonly (Value | undefined)[],
): void {
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const project = (outputs: number): Value => g.matmul(x, g.parameter([width, outputs]));
  const inputs = [project(queries * lanes), project(keys * lanes), project(states * valueLanes)];
  const attributes = { q_num_heads: queries, kv_num_heads: states, update_rule: rule };
  const [mixed, state] = g.applyAll(attention, [...inputs, ...others(project)], 2, attributes);
  const rows = Math.max(queries, states) * valueLanes;
  g.output("y", g.matmul(mixed!, g.parameter([rows, width])), "float32", []);
  g.output("present", state!, "float32", []);
}

/** The logarithm of the fraction of a state that is kept. */
function decay(g: TestGraph, x: Value): Value {
  return g.sub(g.numbers([0]), g.softplus(x));
}

const cases: readonly OperatorCase[] = [
  {
    operator: attention,
    says: "has a state for each of several values of one key, with gated decay and delta updates",
    build: (g) =>
      mix(g, { queries: 2, keys: 2, states: 4 }, "gated_delta", (project) => [
        undefined,
        decay(g, project(4)),
        g.sigmoid(project(4)),
      ]),
    shards: [2, 2, valueLanes, width],
  },
  {
    operator: attention,
    says: "shares one key among all states",
    build: (g) =>
      mix(g, { queries: 1, keys: 1, states: 5 }, "gated", (project) => [undefined, decay(g, project(5))]),
    shards: [5, valueLanes, width],
  },
  {
    operator: attention,
    says: "decays each lane of a key separately",
    build: (g) =>
      mix(g, { queries: 3, keys: 3, states: 3 }, "gated", (project) => [
        undefined,
        decay(g, project(3 * lanes)),
      ]),
    shards: [3, valueLanes, width],
  },
  {
    operator: attention,
    says: "updates all heads at one rate",
    build: (g) =>
      mix(g, { queries: 2, keys: 4, states: 4 }, "delta", (project) => [
        undefined,
        undefined,
        g.sigmoid(project(1)),
      ]),
    shards: [2, 2, valueLanes, width],
  },
  {
    operator: attention,
    says: "shares one state among several queries",
    build: (g) => mix(g, { queries: 6, keys: 2, states: 2 }, "linear", () => []),
    shards: [2, 3, valueLanes, width],
  },
  {
    operator: attention,
    says: "continues from a state that is an unsharded input, so that heads stay whole too",
    build: (g) =>
      mix(g, { queries: 2, keys: 2, states: 2 }, "linear", () => [
        g.input("past", "float32", ["batch", 2, lanes, valueLanes]),
      ]),
    shards: [width],
  },
  {
    operator: convolution,
    says: "convolves each channel separately, on the second axis, with dilation",
    build: (g) => {
      const x = g.input("x", "float32", ["batch", "sequence", width]);
      const channels = g.transpose(g.matmul(x, g.parameter([width, 10])), [0, 2, 1]);
      const [y, state] = g.applyAll(convolution, [channels, g.parameter([10, 1, taps])], 2, { dilation: 2 });
      g.output("y", g.matmul(g.transpose(y!, [0, 2, 1]), g.parameter([10, width])), "float32", []);
      g.output("present", state!, "float32", []);
    },
    shards: [10, width],
  },
  {
    operator: convolution,
    says: "accepts channels on the last axes, of which one may be sharded, with a bias",
    build: (g) => {
      const x = g.input("x", "float32", ["batch", "sequence", width]);
      const channels = g.reshape(g.matmul(x, g.parameter([width, 12])), [0, 0, 4, 3]);
      const inputs = [channels, g.parameter([12, 1, taps]), g.parameter([12])];
      const [y, state] = g.applyAll(convolution, inputs, 2, { channels_last: 1, activation: "silu" });
      const joined = g.reshape(y!, [0, 0, 12]);
      g.output("y", g.matmul(joined, g.parameter([12, width])), "float32", []);
      g.output("present", state!, "float32", []);
    },
    shards: [3, 4, width],
  },
  {
    operator: convolution,
    says: "accepts concatenated channels of several kinds, each sharded by its own heads",
    build: (g) => {
      const x = g.input("x", "float32", ["batch", "sequence", width]);
      const [queries, values] = [6, 10].map((size) => g.matmul(x, g.parameter([width, size])));
      const inputs = [g.concat([queries!, values!], 2), g.parameter([16, 1, taps])];
      const [mixed] = g.applyAll(convolution, inputs, 2, { channels_last: 1 });
      const parts = g.split(mixed!, [6, 10], 2);
      const products = parts.map((part, at) => g.matmul(part, g.parameter([[6, 10][at]!, width])));
      g.output("y", g.add(products[0]!, products[1]!), "float32", []);
    },
    shards: [6, 10, width],
  },
];

describeOperators(cases);
