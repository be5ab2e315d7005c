import type { Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import type { TestGraph } from "../support/test-graph.js";

const [width, inner] = [6, 20];

/** `relu(x · up) · down`, `[batch, sequence, outputs]`: a sum that ranks owe where they share `inner`. */
function owed(g: TestGraph, x: Value, outputs: number): Value {
  return g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, outputs]));
}

const hidden = (g: TestGraph): Value => g.input("x", "float32", ["batch", "sequence", width]);

const cases: readonly OperatorCase[] = [
  {
    operator: "Add",
    says: "of what every rank has to a sum that is owed counts once",
    build: (g) => {
      const x = hidden(g);
      g.output("y", g.softmax(g.add(x, owed(g, x, width))), "float32", []);
    },
    shards: [inner],
  },
  {
    operator: "Add",
    says: "of what is larger than the sum that is owed waits until that is paid",
    build: (g) => {
      const x = hidden(g);
      g.output("y", g.softmax(g.add(x, owed(g, x, 1))), "float32", []);
    },
    shards: [inner],
  },
  {
    operator: "Neg",
    says: "of a sum that turns out to be needed whole itself is not summed once more",
    build: (g) => {
      const sum = owed(g, hidden(g), width);
      // Walking on from the sum, its reader is met first.
      g.output("y", g.softmax(g.apply("Neg", [sum])), "float32", []);
      g.output("sum", sum, "float32", []);
    },
    shards: [inner],
  },
];

describeOperators(cases);
