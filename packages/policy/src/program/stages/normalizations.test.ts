import { type DataType, decodeOnnx, type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { expect, it } from "vitest";
import { propagateFactors } from "../../analysis/propagate.js";
import { buildPrograms, planGraph } from "../../plan.js";
import { precisionOf } from "../../precision/precision.js";
import { parameter, sizes } from "../../testing/graphs.js";
import type { RankProgram, Step } from "../program.js";
import { findNormalizations } from "./normalizations.js";

const programsOf = (graph: Graph, ranks = 2): RankProgram[] =>
  buildPrograms(graph, planGraph(graph, { ranks }));

const stepsOf = ({ entries }: RankProgram): readonly Step[] => entries.forward!.steps;

const operatorsOf = ({ segments }: RankProgram): string[] =>
  segments.flatMap(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));

it("the norm of an all-reduced sum is a step after the all-reduce", () => {
  for (const program of programsOf(normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6)))) {
    const steps = stepsOf(program);
    expect(steps.map(({ kind }) => kind)).toEqual(["run", "allReduce", "normalize", "run"]);
    const [, reduced, norm] = steps;
    expect(norm).toMatchObject({ scale: "scale", epsilon: expect.closeTo(1e-6), centered: false });
    expect(norm).toMatchObject({ value: reduced!.kind === "allReduce" ? reduced!.value : "" });
    expect(operatorsOf(program)).not.toContain("RMSNormalization");
  }
});

it("the addends of a sum are added by the first step that normalizes it", () => {
  const graph = normalized((g, x) =>
    g.add(g.rmsNormalization(x, scaleOf(g), 1e-6), g.rmsNormalization(x, scaleOf(g, "other"), 1e-6)),
  );
  for (const program of programsOf(graph)) {
    const steps = stepsOf(program).filter(({ kind }) => kind !== "run");
    expect(steps.map(({ kind }) => kind)).toEqual(["allReduce", "normalize", "normalize"]);
    expect(steps.map((step) => "added" in step && step.added)).toEqual([
      false,
      { rows: [], value: "x" },
      false,
    ]);
  }
});

it("a norm with a mean keeps its bias", () => {
  const [program] = programsOf(
    normalized((g, x) => g.layerNormalization(x, scaleOf(g), g.weight("bias", parameter(sizes.width)), 1e-5)),
  );
  expect(stepsOf(program!)).toContainEqual(
    expect.objectContaining({ kind: "normalize", scale: "scale", bias: "bias", centered: true }),
  );
});

it("a rank without units normalizes like the others", () => {
  const graph = normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6), { inner: 3 });
  const kinds = programsOf(graph, 4).map((program) => stepsOf(program).map(({ kind }) => kind));
  const rest = ["allReduce", "normalize", "run"];
  expect(kinds).toEqual([...Array(3).fill(["run", ...rest]), ["zeros", ...rest]]);
});

it("a value that two later segments read is normalized once, and an input of both", () => {
  const graph = normalized((g, x) => {
    const normed = g.rmsNormalization(x, scaleOf(g), 1e-6);
    return g.mul(g.relu(feed(g, normed, "next")), normed);
  });
  for (const program of programsOf(graph)) {
    const steps = stepsOf(program);
    expect(steps.map(({ kind }) => kind)).toEqual([
      "run",
      "allReduce",
      "normalize",
      "run",
      "allReduce",
      "run",
    ]);
    const [, , norm] = steps;
    const output = norm!.kind === "normalize" ? norm!.output : "";
    const runs = steps.filter((step) => step.kind === "run");
    const reads = runs.map(({ segment, values }) => (values ?? program.segments[segment]!).inputs);
    expect(reads.map((inputs) => inputs.includes(output))).toEqual([false, true, true]);
  }
});

it.each<[string, (g: GraphBuilder, x: Value) => Value]>([
  ["over more than the last axis", (g, x) => g.node("LayerNormalization", [x, squareScaleOf(g)], axis(1))],
  ["whose scale is computed", (g, x) => g.rmsNormalization(x, g.add(scaleOf(g), g.numbers([1])), 1e-6)],
  [
    "whose scale is also read by something else",
    (g, x) => g.mul(g.rmsNormalization(x, scaleOf(g), 1e-6), scaleOf(g)),
  ],
  ["of a value computed from the sum", (g, x) => g.rmsNormalization(g.relu(x), scaleOf(g), 1e-6)],
])("a norm %s stays in its segment", (_, norm) => {
  for (const program of programsOf(normalized(norm))) {
    expect(stepsOf(program).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
  }
});

it("a norm whose result is an output stays in its segment", () => {
  const [program] = programsOf(
    normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6), { given: "itself" }),
  );
  expect(stepsOf(program!).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
});

it("the norm of a float16 sum stays in its segment", () => {
  const graph = normalized((g, x) => g.rmsNormalization(x, scaleOf(g), 1e-6), { type: "float16" });
  for (const program of programsOf(graph)) {
    expect(stepsOf(program).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
    expect(operatorsOf(program)).toContain("RMSNormalization");
  }
});

it("norms of two entries that share a scale stay in their segments", () => {
  const g = new GraphBuilder();
  for (const name of ["first", "second"]) {
    g.entry(name, () => {
      const x = g.input(`${name}.x`, "float32", ["batch", rows, sizes.width]);
      const normed = g.rmsNormalization(feed(g, x, name), scaleOf(g), 1e-6);
      g.output(`${name}.y`, g.relu(normed), "float32", ["batch", rows, sizes.width]);
    });
  }
  for (const { entries } of programsOf(g.build())) {
    for (const { steps } of [entries.first!, entries.second!])
      expect(steps.map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
  }
});

it("a norm whose scale is read by a node that one rank does not run stays in its segment on every rank", () => {
  const graph = normalized((g, x) => {
    const scale = scaleOf(g);
    return g.add(g.rmsNormalization(x, scale, 1e-6), feed(g, g.mul(x, scale), "next", { inner: 3 }));
  });
  const kinds = programsOf(graph, 4).flatMap((program) => stepsOf(program).map(({ kind }) => kind));
  expect(kinds).not.toContain("normalize");
});

it.each([
  ["a sum becomes a step", [], 1],
  ["a maximum over ranks stays in its segment", ["x"], 0],
])("the norm of %s", (_, largest, taken) => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", [rows, sizes.width]);
  g.output("y", g.relu(g.rmsNormalization(x, scaleOf(g), 1e-6)), "float32", [rows, sizes.width]);
  const factored = propagateFactors(g.build(), precisionOf());
  const norms = findNormalizations(factored, { paid: new Set(["x"]), largest: new Set(largest) }, []);
  expect(norms).toHaveLength(taken);
});

const scaleOf = (g: GraphBuilder, name = "scale"): Value => g.weight(name, parameter(sizes.width));
const squareScaleOf = (g: GraphBuilder): Value => g.weight("scale", parameter(rows, sizes.width));
const axis = (value: number) => ({ attributes: { axis: { kind: "int", value } as const } });
const rows = 3;

interface Options {
  readonly given?: "itself" | "what follows";
  readonly inner?: number;
  /** The type of all values that `norm` does not create. */
  readonly type?: DataType;
}

/** `relu(norm(x + relu(x·up)·down))`, or without the last relu. */
function normalized(
  norm: (g: GraphBuilder, sum: Value) => Value,
  { given = "what follows", inner = sizes.inner, type = "float32" }: Options = {},
): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", type, ["batch", rows, sizes.width]);
  const normed = norm(g, g.add(x, feed(g, x, "own", { inner, type })));
  g.output("y", given === "itself" ? normed : g.relu(normed), type, ["batch", rows, sizes.width]);
  return g.build();
}

/** `relu(x·up)·down`, a sum over ranks. */
function feed(
  g: GraphBuilder,
  x: Value,
  name: string,
  { inner = sizes.inner, type = "float32" }: Pick<Options, "inner" | "type"> = {},
): Value {
  const weight = (part: string, ...dims: readonly number[]): Value =>
    g.weight(`${name}.${part}`, { ...parameter(...dims), type });
  const up = g.relu(g.matmul(x, weight("up", sizes.width, inner)));
  return g.matmul(up, weight("down", inner, sizes.width));
}
