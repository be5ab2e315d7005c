import { decodeOnnx, GraphBuilder } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { parameter, sizes } from "../../testing/graphs.js";

it("a slice with bounds that are only known at run time keeps them, next to a sharded axis", () => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "sequence", sizes.width]);
  const up = g.matmul(x, g.weight("up", parameter(sizes.width, sizes.inner)));
  const rest = g.slice(up, g.shape(x, 0, 1), undefined, 1);
  const down = g.matmul(g.relu(rest), g.weight("down", parameter(sizes.inner, sizes.width)));
  g.output("y", down, "float32", ["batch", "rest", sizes.width]);
  const graph = g.build();

  const [program] = buildPrograms(graph, planGraph(graph, { ranks: 2 }));
  const { nodes, weights } = decodeOnnx(program!.segments[0]!.onnx);
  const slice = nodes.find(({ opType }) => opType === "Slice");
  expect(program!.weights.up!.dims).toEqual([sizes.width, sizes.inner / 2]);
  expect(weights.has(slice!.inputs[1]!)).toBe(false);
});
