import type { Graph, GraphNode } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { expect, it } from "vitest";
import { inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

const constant: GraphNode = {
  opType: "Constant",
  domain: "",
  inputs: [],
  outputs: ["constant"],
  attributes: { value_floats: { kind: "floats", value: [1, 2, 3] } },
};

it.each<[string, string, readonly number[]]>([
  ["that is a factor, which is split nonetheless", "w0", [4, 6]],
  ["that nothing reads", "w2", [5]],
  ["of a Constant node", "constant", [3]],
])("a graph may output a constant directly: one %s", async (_, name, dims) => {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", 4]);
  const up = g.relu(g.matmul(x, g.parameter([4, 6])));
  g.output("y", g.matmul(up, g.parameter([6, 4])), "float32", ["batch", 4]);
  g.parameter([5]);
  const built = g.build();
  const graph: Graph = {
    ...built,
    nodes: [constant, ...built.nodes],
    outputs: [...built.outputs, { name, type: "float32", dims }],
  };
  const made = { graph, contents: g.contents };
  const inputs = inputsFor(graph);
  const whole = await runWhole(made, inputs);
  for (const ranks of [1, 2, 3]) {
    const policy = planGraph(graph, { ranks });
    if (ranks > 1) expect(Object.values(policy.weights)).toContainEqual(expect.objectContaining({ axis: 1 }));
    const split = await runSplit(made, policy, inputs);
    expect(split[name]).toMatchObject({ dims, data: whole[name]!.data });
    // Sums of a few numbers around 1, in another order.
    expect(split.y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: 1e-6 });
  }
});
