import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

const [width, inner] = [6, 20];

/** `relu(x · up) · down`, `[batch, sequence, outputs]`: a sum that ranks owe if they share `inner`. */
function owed(g: TestGraph, x: Value, outputs: number): Value {
  return g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, outputs]));
}

const hidden = (g: TestGraph): Value => g.input("x", "float32", ["batch", "sequence", width]);

const cases: readonly OperatorCase[] = [
  {
    operator: "Add",
    says: "of a replicated value to a sum that ranks owe counts once",
    build: (g) => {
      const x = hidden(g);
      g.output("y", g.softmax(g.add(x, owed(g, x, width))), "float32", []);
    },
    shards: [inner],
  },
  {
    operator: "Add",
    says: "of a value larger than the sum that ranks owe waits until the sum is reduced",
    build: (g) => {
      const x = hidden(g);
      g.output("y", g.softmax(g.add(x, owed(g, x, 1))), "float32", []);
    },
    shards: [inner],
  },
  {
    operator: "Neg",
    says: "of a sum that turns out to be needed whole itself is not summed again",
    build: (g) => {
      const sum = owed(g, hidden(g), width);
      // A traversal from the sum meets its reader first.
      g.output("y", g.softmax(g.apply("Neg", [sum])), "float32", []);
      g.output("sum", sum, "float32", []);
    },
    shards: [inner],
  },
  {
    operator: "Einsum",
    says: "splits by one summed or one kept axis at a time",
    build: (g) => {
      const up = g.matmul(hidden(g), g.parameter([width, 4]));
      g.output(
        "y",
        g.apply("Einsum", [up, g.parameter([3, 5])], { equation: "bsi,jk->bsij" }),
        "float32",
        [],
      );
    },
    shards: [3, 4, 5],
  },
  {
    operator: "com.microsoft::FusedMatMul",
    says: "with batches transposed reads whole tensors",
    build: (g) => {
      const x = g.input("x", "float32", [3, 2, width]);
      const up = g.matmul(x, g.parameter([width, 4]));
      const turned = g.apply("FusedMatMul@com.microsoft", [up, g.parameter([2, 4, 7])], { transBatchA: 1 });
      g.output("y", g.matmul(turned, g.parameter([7, 5])), "float32", []);
    },
    shards: [5],
  },
  {
    operator: "ReduceSum",
    says: "of 64-bit integers, which collectives would round, is not divided",
    build: (g) => {
      const up = g.mul(g.matmul(hidden(g), g.parameter([width, inner])), g.numbers([2 ** 30]));
      const sum = g.reduceSum(g.cast(up, "int64"), [2]);
      g.output("y", g.apply("Mod", [sum, g.integer(1000)]), "int64", []);
    },
    shards: [inner],
  },
];

describeOperators(cases);

describe("a sum is reduced where that is cheapest", () => {
  it.each<[string, number, (g: TestGraph, x: Value) => Value]>([
    [
      "once, before it is split into parts that are read separately",
      1,
      (g, x) =>
        g.concat(
          g.split(owed(g, x, 9), [2, 3, 4], 2).map((part) => g.tanh(part)),
          2,
        ),
    ],
    [
      "once, after its addition to another sum, even of another size",
      1,
      (g, x) => g.tanh(g.add(owed(g, x, width), owed(g, g.reduceMax(x, [1]), width))),
    ],
    [
      "once, although its shape is read before",
      1,
      (g, x) => {
        const sum = owed(g, x, width);
        const flat = g.reshapeBy(sum, g.concat([g.shape(sum, 0, 1), g.integers([-1])], 0));
        return g.tanh(g.add(flat, flat));
      },
    ],
    [
      "once for each of two, if each is needed separately",
      2,
      (g, x) => {
        const [one, other] = [owed(g, x, width), owed(g, x, width)];
        return g.add(g.tanh(one), g.add(g.tanh(other), g.add(one, other)));
      },
    ],
  ])("%s", async (_, allReduces, build) => {
    const g = new TestGraph();
    g.output("y", build(g, hidden(g)), "float32", []);
    const made = { graph: g.build(), contents: g.contents };
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    for (const ranks of [2, 3, 24]) {
      const policy = planGraph(made.graph, { ranks });
      expect(policy.predicted.allReducesPerToken).toBe(allReduces);
      const split = await runSplit(made, policy, inputs);
      // Sums of 20 numbers around 1, in another order.
      expect(split.y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: 1e-5 });
    }
  });

  it("in fewer bytes, before a product widens it", () => {
    const g = new TestGraph();
    const x = g.input("x", "float32", ["batch", "sequence", width]);
    const wide = g.matmul(owed(g, x, 2), g.parameter([2, 16]));
    g.output("y", g.tanh(wide), "float32", []);
    const { collectives } = planGraph(g.build(), { ranks: 2 });
    expect(collectives.map(({ bytes }) => bytes)).toEqual([512 * 2 * Float32Array.BYTES_PER_ELEMENT]);
  });
});
