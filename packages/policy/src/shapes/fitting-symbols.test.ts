import type { Graph, Weight } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { evaluatePair } from "./pair.js";
import { graphOf, node } from "./testing/graph-of.js";

/** A convolution of an input by a kernel, and what is done with the result `c`. */
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

describe("sizes that fit a graph", () => {
  it("have as many channels as a kernel that reads them", () => {
    expect(dimsOf(convolved("x float32[batch,channels,64]", [8, 3, 4], [4]), "x")[1]).toEqual([3, 3]);
  });

  it("are long enough for a stack of convolutions, and stay apart under its strides", () => {
    const [, , [first, second]] = dimsOf(convolved("x float32[1,3,length]", [8, 3, 400], [320]), "y") as [
      unknown,
      unknown,
      [number, number],
    ];
    expect(first).toBeGreaterThan(0);
    expect(second).not.toBe(first);
  });

  it("are the one size of an image that what is added to its places allows", () => {
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

  it("of tokens are primes, as before", () => {
    expect(dimsOf(graphOf({ inputs: ["x int64[batch,length]"] }), "x")).toEqual([
      [7, 11],
      [13, 19],
    ]);
  });
});
