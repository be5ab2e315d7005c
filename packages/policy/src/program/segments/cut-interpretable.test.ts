import { GraphBuilder, type Value } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { parameter } from "../../testing/graphs.js";

type Work = (g: GraphBuilder, ids: Value) => Value;

/** Angles for positions: six operators. */
const angles: Work = (g, ids) => {
  const position = g.cast(g.unsqueeze(g.sub(ids, g.integer(1)), [2]), "float32");
  return g.add(g.cos(position), g.sin(position));
};

/** By step of a rank: its kind, or whether its segment has weights, and whether it can be interpreted. */
function segmentsOf(work: Work, ranks: number) {
  const g = new GraphBuilder();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  const embedded = g.gather(g.weight("table", parameter(100, 64)), ids, 0);
  const x = g.rmsNormalization(embedded, g.weight("norm", parameter(64)), 1e-6);
  g.output("y", g.mul(x, work(g, ids)), "float32", ["batch", "sequence", 64]);
  const graph = g.build();
  return buildPrograms(graph, planGraph(graph, { ranks })).map(({ entries, segments }) =>
    entries.forward!.steps.flatMap((step) => {
      if (step.kind !== "run") return [step.kind];
      const { initializers, interpretable } = segments[step.segment]!;
      const work = interpretable === undefined ? [] : ["interpretable"];
      return [[...(initializers.length > 0 ? ["weights"] : []), ...work].join(", ") || "none"];
    }),
  );
}

it("positions are computed apart from the lookup of ids", () => {
  expect(segmentsOf(angles, 1)).toEqual([["interpretable", "weights"]]);
});

it("so is the choice of rows that a rank has", () => {
  const works = ["interpretable", "weights, interpretable", "allReduce", "normalize", "none"];
  const [first, second] = segmentsOf(angles, 2);
  expect(first?.slice(0, 3)).toEqual(works.slice(0, 3));
  expect(second?.slice(0, 3)).toEqual(works.slice(0, 3));
});

it("a few operators stay in their segment", () => {
  expect(segmentsOf((g, ids) => g.cast(g.unsqueeze(ids, [2]), "float32"), 1)).toEqual([["weights"]]);
});

it("what needs an operator that is not interpreted stays with it", () => {
  const work: Work = (g, ids) => angles(g, g.cast(g.softmax(g.cast(ids, "float32")), "int64"));
  expect(segmentsOf(work, 1)).toEqual([["weights"]]);
});

it("what reads a constant that is too long for a program stays in its segment", () => {
  const work: Work = (g, ids) => g.mul(angles(g, ids), g.numbers(new Array(8192).fill(1), [8192, 1, 1, 1]));
  const [first] = segmentsOf((g, ids) => g.gather(work(g, ids), g.integer(0), 0), 1);
  expect(first).toEqual(["weights"]);
});
