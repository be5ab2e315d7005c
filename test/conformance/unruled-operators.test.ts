import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import type { TestGraph } from "../support/test-graph.js";

/** Operators without a rule in the policy: their sharded inputs are gathered, on ranks with and without a share. */

const [width, inner] = [12, 3];

function up(g: TestGraph) {
  return g.matmul(g.input("x", "float32", ["batch", "sequence", width]), g.parameter([width, inner * 2]));
}

const cases: readonly OperatorCase[] = [
  {
    operator: "Hardmax",
    says: "gathers a value that is sharded before it",
    build: (g) => {
      const chosen = g.apply("Hardmax", [up(g)], { axis: -1 });
      g.output("y", g.matmul(chosen, g.parameter([inner * 2, width])), "float32", []);
    },
    shards: [inner * 2, width],
  },
  {
    operator: "Hardmax",
    says: "gathers a value next to an operator that reads a share and another that reads the whole",
    build: (g) => {
      const x = g.reshape(up(g), [0, 0, inner, 2]);
      const chosen = g.apply("Hardmax", [x], { axis: 3 });
      const other = g.apply("Hardmax", [x], { axis: 2 });
      const own = g.reshape(g.relu(x), [0, 0, inner * 2]);
      const down = g.matmul(own, g.parameter([inner * 2, width]));
      const both = g.reshape(g.add(chosen, other), [0, 0, inner * 2]);
      g.output("y", g.add(down, g.matmul(both, g.parameter([inner * 2, width]))), "float32", []);
    },
    shards: [inner, 2, width],
  },
  {
    operator: "LSTM",
    says: "keeps its weights whole, and reads a whole sequence",
    build: (g) => {
      const [hidden, gates] = [5, 4];
      const inputs = [
        up(g),
        g.parameter([1, gates * hidden, inner * 2]),
        g.parameter([1, gates * hidden, hidden]),
      ];
      const [states] = g.applyAll("LSTM", inputs, 3, { hidden_size: hidden });
      g.output("y", states!, "float32", []);
    },
    shards: [inner * 2],
  },
];

describeOperators(cases);
