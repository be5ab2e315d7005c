import { decodeOnnx, type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../policy/plan.js";
import { parameter, sizes } from "../testing/graphs.js";
import type { RankProgram, Step } from "./program.js";

const programsOf = (graph: Graph): RankProgram[] => buildPrograms(graph, planGraph(graph, { ranks: 2 }));

const stepsOf = ({ entries }: RankProgram): readonly Step[] => entries.forward!.steps;

const operatorsOf = ({ segments }: RankProgram): string[] =>
  segments.flatMap(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));

it("the norm of a sum of ranks is a step behind its all-reduce", () => {
  for (const program of programsOf(normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6)))) {
    const steps = stepsOf(program);
    expect(steps.map(({ kind }) => kind)).toEqual(["run", "allReduce", "normalize", "run"]);
    const [, reduced, norm] = steps;
    expect(norm).toMatchObject({ scale: "scale", epsilon: expect.closeTo(1e-6), centered: false });
    expect(norm).toMatchObject({ value: reduced!.kind === "allReduce" ? reduced!.value : "" });
    expect(operatorsOf(program)).not.toContain("RMSNormalization");
  }
});

it("a norm about the mean keeps its bias", () => {
  const [program] = programsOf(
    normalized((g, x) => g.layerNormalization(x, scaleOf(g), g.weight("bias", parameter(sizes.width)), 1e-5)),
  );
  expect(stepsOf(program!)).toContainEqual(
    expect.objectContaining({ kind: "normalize", scale: "scale", bias: "bias", centered: true }),
  );
});

it.each<[string, (g: GraphBuilder, x: Value) => Value]>([
  ["of more than the last axis", (g, x) => g.node("LayerNormalization", [x, squareScaleOf(g)], axis(1))],
  ["whose scale is computed", (g, x) => g.rmsNormalization(x, g.add(scaleOf(g), g.numbers([1])), 1e-6)],
  ["whose scale something else reads", (g, x) => g.mul(g.rmsNormalization(x, scaleOf(g), 1e-6), scaleOf(g))],
  ["of what was computed from the sum", (g, x) => g.rmsNormalization(g.relu(x), scaleOf(g), 1e-6)],
])("a norm %s stays in its segment", (_, norm) => {
  for (const program of programsOf(normalized(norm))) {
    expect(stepsOf(program).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
  }
});

it("a norm that the caller is given stays in its segment", () => {
  const [program] = programsOf(normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6), "itself"));
  expect(stepsOf(program!).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
});

const scaleOf = (g: GraphBuilder): Value => g.weight("scale", parameter(sizes.width));
const squareScaleOf = (g: GraphBuilder): Value => g.weight("scale", parameter(rows, sizes.width));
const axis = (value: number) => ({ attributes: { axis: { kind: "int", value } as const } });
const rows = 3;

/** `relu(norm(x + relu(x·up)·down))`, or without the last relu. */
function normalized(
  norm: (g: GraphBuilder, sum: Value) => Value,
  given: "itself" | "what follows" = "what follows",
): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", rows, sizes.width]);
  const up = g.relu(g.matmul(x, g.weight("up", parameter(sizes.width, sizes.inner))));
  const sum = g.add(x, g.matmul(up, g.weight("down", parameter(sizes.inner, sizes.width))));
  const normed = norm(g, sum);
  g.output("y", given === "itself" ? normed : g.relu(normed), "float32", ["batch", rows, sizes.width]);
  return g.build();
}
