import { decodeOnnx, type Graph } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { attentionGraph, lanes } from "../../testing/attention-graph.js";
import type { RankProgram, RunStep } from "../program.js";

const programsOf = (graph: Graph, ranks: number): RankProgram[] =>
  buildPrograms(graph, planGraph(graph, { ranks }));

const attending = ({ entries }: RankProgram): RunStep[] =>
  entries.forward!.steps.filter((step) => step.kind === "run").filter((step) => step.attention !== undefined);

it("attention over a cache is a segment of its own, between its projections and the rest", () => {
  const [program] = programsOf(attentionGraph(), 2);
  const operators = program!.segments.map(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));
  expect(program!.entries.forward!.steps.map(({ kind }) => kind)).toEqual([
    "run",
    "run",
    "run",
    "allReduce",
    "run",
  ]);
  // One product computes them side by side, as they cross.
  expect(operators[0]).toEqual(["Shape", "Shape", "Concat", "FusedMatMul"]);
  expect(operators[1]).toContain("Softmax");
  // The third is for a block of rows; a step's attention names it.
  expect(operators[3]).toContain("FusedMatMul");
});

it("attention inside which a sum is owed, as with sharded lanes, is not a segment of its own", () => {
  const graph = attentionGraph();
  const sharded = planGraph(graph, { ranks: 3 }).factors.filter((factor) => factor.sharded);
  expect(sharded.map(({ label }) => label)).toEqual(["lanes", "lanes"]);
  expect(attending(programsOf(graph, 3)[0]!)).toEqual([]);
});

it("equal attention of different layers is one segment, and each step names its values", () => {
  const [program] = programsOf(attentionGraph(undefined, 3), 2);
  const steps = attending(program!);
  const [first] = steps;
  expect(steps.map(({ segment }) => segment)).toEqual([first!.segment, first!.segment, first!.segment]);
  const { inputs, outputs } = program!.segments[first!.segment]!;
  for (const { values, attention } of steps) {
    expect([values!.inputs.length, values!.outputs.length]).toEqual([inputs.length, outputs.length]);
    expect(values!.inputs).toContain(attention!.pastKeys);
    expect(values!.outputs).toContain(attention!.presentKeys);
  }
  expect(new Set(steps.flatMap(({ values }) => values!.outputs)).size).toBe(3 * outputs.length);
});

it("equal attention on all ranks is the same segment", () => {
  const segments = programsOf(attentionGraph(), 2).map((program) => {
    const [step] = attending(program);
    return program.segments[step!.segment];
  });
  expect(segments[1]).toBe(segments[0]);
});

it("attention of a block of rows is one segment for all layers with the same heads", () => {
  const [program] = programsOf(attentionGraph(undefined, 3), 2);
  const blocks = attending(program!).map((step) => step.attention?.block);
  expect(blocks).toEqual([blocks[0], blocks[0], blocks[0]]);
  const { onnx, inputs, initializers } = program!.segments[Number(blocks[0])]!;
  expect(decodeOnnx(onnx).nodes.map(({ opType }) => opType)).toEqual(["Attention"]);
  expect(inputs).toEqual(["query", "keys", "values", "mask"]);
  expect(initializers).toEqual([]);
});

it("heads with biases of their own set very small attention weights to zero before multiplying with values", () => {
  const [program] = programsOf(attentionGraph(undefined, 1, lanes, undefined, true), 2);
  const [step] = attending(program!);
  const { onnx, inputs } = program!.segments[step!.attention!.block!]!;
  expect(inputs).toEqual(["query", "keys", "values", "mask"]);
  const { nodes } = decodeOnnx(onnx);
  const [softmax] = nodes.filter(({ opType }) => opType === "Softmax");
  const [threshold] = nodes.filter(({ inputs }) => inputs.includes(softmax!.outputs[0]!));
  expect(threshold!.opType).toBe("ThresholdedRelu");
  expect(
    nodes.filter(({ inputs }) => inputs.includes(threshold!.outputs[0]!)).map(({ opType }) => opType),
  ).toEqual(["FusedMatMul"]);
});

it("attention runs on all rows at once if the rows of heads are not adjacent", () => {
  const [program] = programsOf(
    attentionGraph(undefined, 1, lanes, (g, rows) => g.tanh(rows)),
    2,
  );
  const [step] = attending(program!);
  expect(step!.attention).toMatchObject({ query: { headStride: 2 * lanes } });
  expect(step!.attention!.block).toBeUndefined();
});

it("the new rows of caches exist on every rank after the last layer's attention", () => {
  for (const program of programsOf(attentionGraph(undefined, 3), 2)) {
    const { steps, cacheSteps } = program.entries.forward!;
    expect(cacheSteps).toBe(steps.lastIndexOf(attending(program).at(-1)!) + 1);
  }
});

it("all ranks skip the same collectives after the caches are complete", () => {
  for (const ranks of [2, 3]) {
    const left = programsOf(attentionGraph(undefined, 3), ranks).map(({ entries }) => {
      const { steps, cacheSteps } = entries.forward!;
      return steps.slice(cacheSteps).filter(({ kind }) => kind === "allReduce").length;
    });
    expect(left).toEqual(Array(ranks).fill(1));
  }
});

it("a rank is told where its heads are in the input of attention", () => {
  const programs = programsOf(attentionGraph(), 2);
  for (const program of programs) {
    const [first] = program.segments;
    const [step] = attending(program);
    const read = step!.values!.inputs;
    const [joined] = first!.outputs.filter((name) => read.includes(name) && name.includes("|"));
    const rowWidth = (2 + 1 + 1) * lanes;
    expect(attending(program)).toEqual([
      expect.objectContaining({
        attention: expect.objectContaining({
          query: { value: joined, rowWidth, offset: 0, headStride: 2 * lanes },
          key: { value: joined, rowWidth, offset: 2 * lanes, headStride: lanes },
          value: { value: joined, rowWidth, offset: 3 * lanes, headStride: lanes },
          keyValueHeads: 1,
          group: 2,
          lanes,
          pastKeys: "past.key",
          presentValues: "present.value",
        }),
      }),
    ]);
  }
});

it("soft-capped scores stay in their segment", () => {
  const [program] = programsOf(
    attentionGraph((g, scores) => g.tanh(scores)),
    2,
  );
  expect(attending(program!)).toEqual([]);
});

it("attention stays in its segment if its cached rows are not those to which the new ones are appended", () => {
  const graph = attentionGraph();
  const [cache] = graph.caches;
  const [keys, values] = cache!.states;
  const crossed = [
    { ...keys!, present: values!.present },
    { ...values!, present: keys!.present },
  ];
  const [program] = programsOf({ ...graph, caches: [{ ...cache!, states: crossed }] }, 2);
  expect(attending(program!)).toEqual([]);
});
