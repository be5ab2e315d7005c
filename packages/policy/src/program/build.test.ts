import { type Graph, GraphBuilder } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, planGraph } from "../plan.js";
import { feedForward, parameter, serialFeedForwards, sizes, unknownOperator } from "../testing/graphs.js";
import type { RankProgram } from "./program.js";

const programsOf = (graph: Graph, ranks: number): RankProgram[] =>
  buildPrograms(graph, planGraph(graph, { ranks }));

describe("a program", () => {
  it("is cut at the same collectives on every rank", () => {
    const steps = programsOf(serialFeedForwards(), 3).map(({ entries }) =>
      entries.forward!.steps.map(({ kind }) => kind),
    );
    expect(steps).toEqual(Array(3).fill(["run", "allReduce", "run", "allReduce", "run"]));
  });

  it("stores each weight as intervals of every axis", () => {
    const [, second] = programsOf(feedForward(), 2);
    expect(second!.weights["a.up"]).toMatchObject({ selection: [[[0, 12]], [[10, 20]]], dims: [12, 10] });
    expect(second!.weights["a.down"]).toMatchObject({ selection: [[[10, 20]], [[0, 12]]], dims: [10, 12] });
  });

  it("computes values that only depend on weights in the segment that reads them", () => {
    const [program] = programsOf(shiftedNorms(), 2);
    expect(program!.segments.map(({ outputs }) => outputs.length)).toEqual([1, 1, 1]);
  });

  it("for one rank is one segment without collectives", () => {
    expect(programsOf(serialFeedForwards(), 1)[0]!.entries.forward!.steps).toEqual([
      { kind: "run", segment: 0 },
    ]);
  });

  it("does not compute a gathered value in a segment", () => {
    const [program] = programsOf(unknownOperator(), 2);
    const [gathered] = program!.entries.forward!.steps.flatMap((step) =>
      step.kind === "allGather" ? [step.output] : [],
    );
    expect(gathered).toBeDefined();
    const made = program!.segments.flatMap(({ outputs }) => outputs);
    expect(made).not.toContain(gathered);
  });

  it("owes zeros for a rank without units", () => {
    const [, , , last] = programsOf(feedForward(3), 4);
    expect(last!.entries.forward!.steps).toContainEqual(
      expect.objectContaining({
        kind: "zeros",
        dims: [
          { scale: 1, symbols: ["batch"] },
          { scale: 1, symbols: ["sequence"] },
          { scale: sizes.width, symbols: [] },
        ],
      }),
    );
    expect(last!.weights["a.up"]).toBeUndefined();
  });
});

describe("an output of the graph", () => {
  it("keeps its name on every rank if it is the sum itself", () => {
    for (const { entries, segments } of programsOf(sumAsOutput(), 2)) {
      expect(entries.forward!.steps.at(-1)).toEqual({ kind: "allReduce", value: "y" });
      expect(segments.at(-1)!.outputs).toContain("y");
    }
  });

  it("that is sharded says which elements each rank has, also to a rank without any", () => {
    const programs = programsOf(columns(3), 4);
    const shard = { axis: 1, size: 3, intervals: [[[0, 1]], [[1, 2]], [[2, 3]], []] };
    for (const { entries } of programs)
      expect(entries.forward!.outputs[0]).toMatchObject({ name: "y", shard });
    expect(programs[3]!.segments).toEqual([]);
  });
});

/** Two feed-forwards in sequence, each after a norm whose scale is computed from a weight. */
function shiftedNorms(): Graph {
  const g = new GraphBuilder();
  let x = g.input("x", "float32", ["rows", sizes.width]);
  for (const name of ["a", "b"]) {
    const scale = g.add(g.weight(`${name}.scale`, parameter(sizes.width)), g.numbers([1]));
    const up = g.matmul(
      g.rmsNormalization(x, scale, 1e-6),
      g.weight(`${name}.up`, parameter(sizes.width, sizes.inner)),
    );
    x = g.matmul(g.relu(up), g.weight(`${name}.down`, parameter(sizes.inner, sizes.width)));
  }
  g.output("y", g.relu(x), "float32", ["rows", sizes.width]);
  return g.build();
}

/** `y = relu(x·up)·down + b` with one column, so that only the inner width can be sharded. */
function sumAsOutput(): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", sizes.width]);
  const up = g.relu(g.matmul(x, g.weight("up", parameter(sizes.width, sizes.inner))));
  const down = g.matmul(up, g.weight("down", parameter(sizes.inner, 1)));
  g.output("y", g.add(down, g.weight("b", parameter(1))), "float32", ["batch", 1]);
  return g.build();
}

/** `y = x·w`, `width` columns. */
function columns(width: number): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", sizes.width]);
  g.output("y", g.matmul(x, g.weight("w", parameter(sizes.width, width))), "float32", ["batch", width]);
  return g.build();
}
