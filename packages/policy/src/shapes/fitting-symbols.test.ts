import type { Graph, Weight } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { evaluatePair } from "./pair.js";
import { graphOf, node } from "./testing/graph-of.js";

/** A convolution of an input, and what is computed from its result `c`. */
function convolved(
  input: string,
  kernel: readonly number[],
  strides: readonly number[],
  then = [node("Relu", ["c"], ["y"])],
): Graph {
  const graph = graphOf({ inputs: [input], nodes: [node("Conv", ["x", "w"], ["c"], { strides }), ...then] });
  const weight: Weight = { type: "float32", dims: kernel, source: { kind: "absent" } };
  return { ...graph, weights: new Map([["w", weight]]) };
}

const dimsOf = (graph: Graph, name: string) => evaluatePair(graph).values.get(name)!.dims;

describe("the sizes that a graph is tried with", () => {
  it("have as many channels as the kernel that reads them", () => {
    expect(dimsOf(convolved("x float32[batch,channels,64]", [8, 3, 4], [4]), "x")[1]).toEqual([3, 3]);
  });

  it("are long enough for a stack of convolutions, and stay different under its strides", () => {
    const [, , [first, second]] = dimsOf(convolved("x float32[1,3,length]", [8, 3, 400], [320]), "y") as [
      unknown,
      unknown,
      [number, number],
    ];
    expect(first).toBeGreaterThan(0);
    expect(second).not.toBe(first);
  });

  it("are the only size of an image that its position embeddings allow", () => {
    const places = {
      type: "float32",
      dims: [1, 8, 49],
      contents: new Array<number>(8 * 49).fill(0),
    } as const;
    const graph = convolved(
      "x float32[batch,3,height,width]",
      [8, 3, 16, 16],
      [16, 16],
      [node("Reshape", ["c", "shape"], ["r"]), node("Add", ["r", "p"], ["y"])],
    );
    const constants = graphOf({
      constants: { p: places, shape: { type: "int64", dims: [3], contents: [0, 8, -1] } },
    });
    const whole = { ...graph, weights: new Map([...graph.weights, ...constants.weights]) };
    expect(dimsOf(whole, "x").slice(2)).toEqual([
      [112, 112],
      [112, 112],
    ]);
  });

  it("are primes for tokens", () => {
    expect(dimsOf(graphOf({ inputs: ["x int64[batch,length]"] }), "x")).toEqual([
      [7, 11],
      [13, 19],
    ]);
  });
});
