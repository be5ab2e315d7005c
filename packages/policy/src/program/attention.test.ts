import { decodeOnnx, type Graph } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../policy/plan.js";
import { attentionGraph, lanes } from "../testing/attention-graph.js";
import type { RankProgram, RunStep } from "./program.js";

const programsOf = (graph: Graph, ranks: number): RankProgram[] =>
  buildPrograms(graph, planGraph(graph, { ranks }));

const attending = ({ entries }: RankProgram): RunStep[] =>
  entries.forward!.steps.filter((step) => step.kind === "run").filter((step) => step.attention !== undefined);

it("attention over a cache is a segment of its own, between its projections and what follows", () => {
  const [program] = programsOf(attentionGraph(), 2);
  const operators = program!.segments.map(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));
  expect(program!.entries.forward!.steps.map(({ kind }) => kind)).toEqual([
    "run",
    "run",
    "run",
    "allReduce",
    "run",
  ]);
  // One product gives them side by side, as they cross.
  expect(operators[0]).toEqual(["Shape", "Shape", "Concat", "FusedMatMul"]);
  expect(operators[1]).toContain("Softmax");
  // The third is of a block of rows; a step's attention names it.
  expect(operators[3]).toContain("FusedMatMul");
});

it("attention inside which a sum is owed, as of lanes that are shared out, is no segment of its own", () => {
  const graph = attentionGraph();
  const sharded = planGraph(graph, { ranks: 3 }).factors.filter((factor) => factor.sharded);
  expect(sharded.map(({ label }) => label)).toEqual(["lanes", "lanes"]);
  expect(attending(programsOf(graph, 3)[0]!)).toEqual([]);
});

it("attention of layers that are alike is one segment, and each step says what it reads and writes", () => {
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

it("attention that is alike on all ranks is the same segment for them", () => {
  const segments = programsOf(attentionGraph(), 2).map((program) => {
    const [step] = attending(program);
    return program.segments[step!.segment];
  });
  expect(segments[1]).toBe(segments[0]);
});

it("attention of a block of rows is one segment for all layers that have heads alike", () => {
  const [program] = programsOf(attentionGraph(undefined, 3), 2);
  const blocks = attending(program!).map((step) => step.attention?.block);
  expect(blocks).toEqual([blocks[0], blocks[0], blocks[0]]);
  const { onnx, inputs, initializers } = program!.segments[Number(blocks[0])]!;
  expect(decodeOnnx(onnx).nodes.map(({ opType }) => opType)).toEqual(["Attention"]);
  expect(inputs).toEqual(["query", "keys", "values", "mask"]);
  expect(initializers).toEqual([]);
});

it("shares of heads that have biases of their own are rid of small ones before they meet values", () => {
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

it("rows whose heads lie apart are attended to all at once", () => {
  const [program] = programsOf(
    attentionGraph(undefined, 1, lanes, (g, rows) => g.tanh(rows)),
    2,
  );
  const [step] = attending(program!);
  expect(step!.attention).toMatchObject({ query: { headStride: 2 * lanes } });
  expect(step!.attention!.block).toBeUndefined();
});

it("new rows of caches are there, on every rank, behind the attention of the last layer", () => {
  for (const program of programsOf(attentionGraph(undefined, 3), 2)) {
    const { steps, cacheSteps } = program.entries.forward!;
    expect(cacheSteps).toBe(steps.lastIndexOf(attending(program).at(-1)!) + 1);
  }
});

it("ranks that leave out what is behind the caches leave out the same collectives", () => {
  for (const ranks of [2, 3]) {
    const left = programsOf(attentionGraph(undefined, 3), ranks).map(({ entries }) => {
      const { steps, cacheSteps } = entries.forward!;
      return steps.slice(cacheSteps).filter(({ kind }) => kind === "allReduce").length;
    });
    expect(left).toEqual(Array(ranks).fill(1));
  }
});

it("a rank is told where its heads lie in what crosses to attention", () => {
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

it("scores that are bent before the softmax are left to the segment they are in", () => {
  const [program] = programsOf(
    attentionGraph((g, scores) => g.tanh(scores)),
    2,
  );
  expect(attending(program!)).toEqual([]);
});

it("attention whose kept rows are not those that the new ones are added to is left where it is", () => {
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
