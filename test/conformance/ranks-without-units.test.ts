import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

/**
 * Two heads of four lanes, and beside them five numbers that every rank has: their sum over all heads. Of three ranks, one
 * has no head, and has the five numbers all the same.
 */
const [width, heads, lanes, beside, inner] = [8, 2, 4, 5, 24];
const columns = heads * lanes;

interface Parts {
  readonly g: TestGraph;
  readonly joined: Value;
  /** The five numbers, taken out again. */
  readonly taken: Value;
}

function graphWith(rest: (parts: Parts) => Value) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  const projected = g.reshape(g.matmul(x, g.parameter([width, columns])), [0, heads, lanes]);
  const mixed = g.reshape(g.softmax(projected), [0, columns]);
  const joined = g.concat([mixed, g.matmul(mixed, g.parameter([columns, beside]))], -1);
  const [, taken] = g.split(joined, [columns, beside], -1);
  g.output("y", rest({ g, joined, taken: taken! }), "float32", []);
  return { graph: g.build(), contents: g.contents };
}

describe("where a rank has no units of one part of what is joined", () => {
  it.each<[string, (parts: Parts) => Value]>([
    [
      "the other part feeds a product whose columns it has",
      ({ g, taken }) => g.relu(g.matmul(taken, g.parameter([beside, inner]))),
    ],
    [
      "the other part feeds a sum over units that it has",
      ({ g, taken }) =>
        g.matmul(g.relu(g.matmul(taken, g.parameter([beside, inner]))), g.parameter([inner, 3])),
    ],
    ["all of it is multiplied", ({ g, joined }) => g.matmul(joined, g.parameter([columns + beside, 7]))],
  ])("the split graph gives what the whole one does: %s", async (_, rest) => {
    const made = graphWith(rest);
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    for (const ranks of [2, 3, 4]) {
      const split = await runSplit(made, planGraph(made.graph, { ranks }), inputs);
      // Sums of fp32 products in another order, up to some 10 in size.
      expect(split.y!.data as Float32Array).toBeAllclose(whole.y!.data as Float32Array, {
        rtol: 1e-5,
        atol: 1e-5,
      });
    }
  });
});
