import type { WeightShard } from "@ringrank/model/weights";
import type { LocalValue, RankProgram, Segment, ValueShard } from "@ringrank/policy";
import { describe, expect, test } from "vitest";
import { inRanks } from "../testing/in-ranks.js";
import { encodeTinyOnnx, type TinyNode, type TinyValue } from "../testing/tiny-onnx.js";
import { deal, shard, size, symbol, weight } from "../testing/tiny-program.js";

const [inner, width] = [6, 10];
const a = weight(1, [inner, width]);
const b = weight(2, [width, inner]);
const square = weight(3, [inner, inner]);
const rows = 5;
const x = Float32Array.from({ length: rows * inner }, (_, i) => Math.cos(i * 1.7));

/**
 * `y = relu(x·A)·B + x` with A split by columns and B by rows, `z = (y·S)·S` with S in two segments, and the hidden
 * columns both gathered by a step (`whole`) and left sharded (`hidden`).
 */
function programs(worldSize: number): RankProgram[] {
  const byColumn = deal(width, worldSize);
  const columnShard: ValueShard = { axis: 1, size: width, intervals: byColumn.map((interval) => [interval]) };
  return byColumn.map((columns, rank): RankProgram => {
    const own = columns[1] - columns[0];
    const segments = [
      segment(
        [value("x", inner)],
        [value("hidden", own), value("y", inner)],
        [
          { op: "MatMul", inputs: ["x", "a"], outputs: ["product"] },
          { op: "Relu", inputs: ["product"], outputs: ["hidden"] },
          { op: "MatMul", inputs: ["hidden", "b"], outputs: ["y"] },
        ],
        { initializers: [fixed("a", inner, own), fixed("b", own, inner)] },
      ),
      segment([value("y", inner)], [value("half", inner)], [matmul("y", "half")], { shared: true }),
      segment([value("half", inner)], [value("z", inner)], [matmul("half", "z")], { shared: true }),
    ];
    const weights: Record<string, WeightShard> = {
      a: shard(a, [undefined, columns]),
      b: shard(b, [columns]),
      s: shard(square, []),
    };
    return {
      rank,
      worldSize,
      segments,
      weights,
      bytes: 4 * (2 * inner * own + inner * inner),
      entries: {
        forward: {
          inputs: [local("x", inner)],
          outputs: [
            local("z", inner),
            local("whole", width),
            { ...local("hidden", own), shard: columnShard },
          ],
          caches: [],
          steps: [
            { kind: "run", segment: 0 },
            { kind: "allReduce", value: "y", added: { rows: [], value: "x" } },
            { kind: "allGather", value: "hidden", output: "whole", shard: columnShard },
            { kind: "run", segment: 1 },
            { kind: "run", segment: 2 },
          ],
        },
      },
    };
  });
}

const matmul = (from: string, to: string): TinyNode => ({ op: "MatMul", inputs: [from, "s"], outputs: [to] });
const value = (name: string, columns: number): TinyValue => ({ name, dims: ["rows", columns] });
const fixed = (name: string, ...dims: number[]): TinyValue => ({ name, dims });
const local = (name: string, columns: number): LocalValue => ({
  name,
  type: "float32",
  dims: [symbol("rows"), size(columns)],
});

function segment(
  inputs: TinyValue[],
  outputs: TinyValue[],
  nodes: TinyNode[],
  { initializers = [], shared = false }: { initializers?: TinyValue[]; shared?: boolean },
): Segment {
  const sharedWeights = shared ? [fixed("s", inner, inner)] : [];
  return {
    onnx: encodeTinyOnnx({ inputs: [...inputs, ...sharedWeights], outputs, nodes, weights: initializers }),
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
    initializers: initializers.map(({ name }) => [name]),
    sharedWeights: sharedWeights.map(({ name }) => name),
  };
}

function multiply(left: ArrayLike<number>, right: ArrayLike<number>, shared: number): number[] {
  const [height, columns] = [left.length / shared, right.length / shared];
  return Array.from({ length: height * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < shared; k++) {
      sum += left[Math.floor(at / columns) * shared + k]! * right[k * columns + (at % columns)]!;
    }
    return sum;
  });
}

const dataOf = ({ source }: typeof a) => (source.kind === "inline" ? (source.data as Float32Array) : []);
const hidden = multiply(x, dataOf(a), inner).map((product) => Math.max(0, product));
const y = multiply(hidden, dataOf(b), width).map((product, i) => product + x[i]!);
const z = multiply(multiply(y, dataOf(square), inner), dataOf(square), inner);
const call = (dims: number[]) =>
  [
    "run",
    {
      entry: "forward",
      inputs: { x: { type: "float32", dims, data: x } },
      outputs: ["z", "whole", "hidden"],
      logits: "all",
    },
  ] as const;
/** fp32 sums of at most 10 terms, thrice. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };

describe.each([1, 2, 3])("a product split by columns, then rows, on %i ranks", (worldSize) => {
  test("equals the unsplit one, also through shared weights and gathered values", async () => {
    const [first] = await inRanks(programs(worldSize), [[...call([rows, inner])]]);
    const { outputs } = first!.results[0]!;
    expect(outputs.z!.data as Float32Array).toBeAllclose(z, tolerance);
    expect(outputs.whole!.dims).toEqual([rows, width]);
    expect(outputs.whole!.data as Float32Array).toBeAllclose(hidden, tolerance);
    expect(outputs.hidden).toEqual(outputs.whole);
  });

  test("keeps one copy of a weight that several segments use", async () => {
    const split = programs(worldSize);
    const ranks = await inRanks(split, []);
    expect(ranks.map(({ report }) => report.bytesKept)).toEqual(split.map(({ bytes }) => bytes));
  });
});

test("refuses an input with the wrong rank by name, before the runtime sees it", async () => {
  await expect(inRanks(programs(2), [[...call([1, rows, inner])]])).rejects.toMatchObject({
    code: "RR_RANK_FAILED",
    cause: { code: "RR_SHAPE", message: expect.stringContaining('"x"') },
  });
});

test("names a segment that the runtime refuses", async () => {
  const [program] = programs(1);
  const [good, ...others] = program!.segments;
  const broken = { ...program!, segments: [{ ...good!, onnx: good!.onnx.slice(0, 40) }, ...others] };
  await expect(inRanks([broken], [])).rejects.toMatchObject({
    code: "RR_RANK_FAILED",
    cause: { code: "RR_GRAPH", message: expect.stringContaining("segment 0") },
  });
});

test("refuses a program with a weight that nothing uses", async () => {
  const [program] = programs(1);
  const weights = { ...program!.weights, unused: program!.weights.s! };
  await expect(inRanks([{ ...program!, weights }], [])).rejects.toMatchObject({
    cause: { code: "RR_POLICY" },
  });
});
