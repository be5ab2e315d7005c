import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { entryGraph, type Graph, GraphBuilder } from "../graph/index.js";
import { encodeOnnx } from "../onnx/index.js";
import { bytesOf } from "../weights/element-types.js";
import { ShardReader } from "../weights/index.js";
import type { DenseModule, VectorActivation } from "./recipe.js";
import { withProjection } from "./with-projection.js";

/** float32: [2, 3], then [2]. */
const numbers = Float32Array.of(1, 2, -1, 0.5, 0, 4, 1, -6);

function dense(activation: VectorActivation): DenseModule {
  const path = `${temporaryDirectory({ weights: new Uint8Array(numbers.buffer) })}/weights`;
  const source = (offset: number) => ({ kind: "file", file: path, offset, storedAs: "float32" }) as const;
  const file = { path, size: numbers.byteLength, modifiedNs: 0n, inode: 0n };
  return { inputs: 3, outputs: 2, weight: source(0), bias: source(24), activation, file };
}

/** Adds one to its input, in an operator set as old as exports'. */
function addsOne(): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", 3]);
  g.output("y", g.add(x, g.numbers([1])), "float32", ["batch", 3]);
  return { ...g.build(), opsets: { "": 13 } };
}

async function run(graph: Graph, feeds: ort.InferenceSession.FeedsType): Promise<Record<string, number[]>> {
  using reader = new ShardReader();
  const externalData = [...graph.weights].flatMap(([path, weight]) => {
    if (weight.source.kind === "inline") return [];
    const selection = weight.dims.map((dim): [number, number][] => [[0, dim]]);
    return [{ path, data: bytesOf(reader.read({ weight, selection, dims: weight.dims })) }];
  });
  const session = await ort.InferenceSession.create(encodeOnnx(graph), { externalData });
  const outputs = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

const ones = new ort.Tensor("float32", new Float32Array(3).fill(1), [1, 3]);

// The references are torch's, to seven digits; the products are 3 and −1.5.
it.each<[VectorActivation, number, number]>([
  ["identity", 3, -1.5],
  ["relu", 3, 0],
  ["tanh", 0.9950548, -0.9051483],
  ["sigmoid", 0.9525741, 0.1824255],
  ["silu", 2.8577225, -0.2736383],
  ["gelu", 2.9959497, -0.1002109],
])("multiplies vectors by a matrix, adds a bias, and applies %s", async (activation, first, second) => {
  const graph = entryGraph(withProjection(addsOne(), [dense(activation)]), "project");
  const { sentence_embedding: vector } = await run(graph, { pooled: ones });
  expect(vector).toBeAllclose([first, second], { rtol: 1e-6, atol: 1e-7 });
});

it("leaves the graph as it is, as an entry of its own", async () => {
  const graph = entryGraph(withProjection(addsOne(), [dense("gelu")]), "forward");
  expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  expect(await run(graph, { x: ones })).toEqual({ y: [2, 2, 2] });
});

it("adds nothing without matrices", () => {
  const graph = addsOne();
  expect(withProjection(graph, [])).toBe(graph);
});
