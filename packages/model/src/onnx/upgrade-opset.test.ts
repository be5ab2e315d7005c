import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { int, ints } from "../graph/attributes.js";
import type { Attribute, Graph, GraphNode } from "../graph/index.js";
import { decodeOnnx, encodeOnnx } from "./index.js";

const dims = [2, 3, 4];
const data = Float32Array.from({ length: 24 }, (_, index) => Math.sin(index));

/** `y…` from `x [2, 3, 4]`, in opset 11. */
function graphOf(opType: string, attributes: Readonly<Record<string, Attribute>>, outputs: number): Graph {
  const names = Array.from({ length: outputs }, (_, index) => `y${index}`);
  const node: GraphNode = { opType, domain: "", inputs: ["x"], outputs: names, attributes };
  return {
    opsets: { "": 11 },
    inputs: [{ name: "x", type: "float32", dims: opType === "Squeeze" ? [1, 24] : dims }],
    outputs: names.map((name) => ({ name, type: "float32", dims: ["a", "b", "c"].slice(0, rankOf(opType)) })),
    nodes: [node],
    weights: new Map(),
    caches: [],
  };
}

const rankOf = (opType: string): number => (opType === "Squeeze" ? 1 : opType === "Unsqueeze" ? 4 : 3);

describe("a node of opset 11 computes the same in opset 17:", () => {
  it.each<[string, Readonly<Record<string, Attribute>>, number]>([
    ["Softmax", { axis: int(1) }, 1],
    ["Softmax", { axis: int(-1) }, 1],
    ["LogSoftmax", {}, 1],
    ["Hardmax", { axis: int(2) }, 1],
    ["Split", { axis: int(2), split: ints([1, 3]) }, 2],
    ["Split", { axis: int(2) }, 2],
    ["ReduceSum", { axes: ints([1]) }, 1],
    ["ReduceSum", {}, 1],
    ["Squeeze", { axes: ints([0]) }, 1],
    ["Unsqueeze", { axes: ints([0]) }, 1],
    ["Dropout", { ratio: { kind: "float", value: 0.3 } }, 1],
  ])("%s %o", async (opType, attributes, outputs) => {
    const graph = graphOf(opType, attributes, outputs);
    if (opType === "Unsqueeze") (graph.outputs[0]!.dims as string[]).push("d");
    const old = encodeOnnx(graph);
    const upgraded = decodeOnnx(old);
    expect(upgraded.opsets[""]).toBe(17);
    const [before, after] = await Promise.all([run(old, graph), run(encodeOnnx(upgraded), graph)]);
    expect(after).toEqual(before);
  });
});

async function run(bytes: Uint8Array, { inputs }: Graph): Promise<unknown[]> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const results = await session.run({ x: new ort.Tensor("float32", data, inputs[0]!.dims as number[]) });
  await session.release();
  return Object.values(results).map(({ dims, data }) => ({ dims, data }));
}
