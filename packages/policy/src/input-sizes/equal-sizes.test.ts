import { type Graph, withSizes } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { evaluatePair } from "../shapes/pair.js";
import { graphOf, node } from "../shapes/testing/graph-of.js";
import { int64 } from "../shapes/testing/operator-case.js";
import { findEqualSizes } from "./equal-sizes.js";

const equalIn = (graph: Graph) => Object.fromEntries(findEqualSizes(graph));

/** A mask that is viewed as `[batch of the tokens, the rest]` and added to them, as in GPT-2. */
const viewedMask = graphOf({
  inputs: ["ids int64[batch,length]", "mask int64[rows,columns]"],
  constants: { zero: int64(0), rest: int64(-1) },
  nodes: [
    node("Shape", ["ids"], ["sizes"]),
    node("Gather", ["sizes", "zero"], ["batch"]),
    node("Concat", ["batch", "rest"], ["view"], { axis: 0 }),
    node("Reshape", ["mask", "view"], ["viewed"]),
    node("Add", ["ids", "viewed"], ["y"]),
  ],
});

describe("sizes with several names", () => {
  it("are equal if two tensors are added that could not broadcast otherwise", () => {
    const inputs = ["a float32[batch,4]", "b float32[other,4]"];
    expect(equalIn(graphOf({ inputs, nodes: [node("Add", ["a", "b"], ["y"])] }))).toEqual({ other: "batch" });
  });

  it("are equal if a view must come out even, batch with batch and length with length", () => {
    expect(equalIn(viewedMask)).toEqual({ rows: "batch", columns: "length" });
  });

  it("equal a number if the other input has one", () => {
    const inputs = ["a float32[6,4]", "b float32[other,4]"];
    expect(equalIn(graphOf({ inputs, nodes: [node("Add", ["a", "b"], ["y"])] }))).toEqual({ other: 6 });
  });

  it("equal a third symbol rather than a 1, with which any of them would broadcast", () => {
    const inputs = ["one float32[1,4]", "a float32[batch,4]", "b float32[other,4]"];
    expect(equalIn(graphOf({ inputs, nodes: [node("Add", ["a", "b"], ["y"])] }))).toEqual({ other: "batch" });
  });

  it("get one name if three are equal", () => {
    const graph = graphOf({
      inputs: ["a float32[x]", "b float32[y]", "c float32[z]"],
      nodes: [node("Add", ["b", "c"], ["bc"]), node("Add", ["a", "bc"], ["abc"])],
    });
    expect(equalIn(graph)).toEqual({ y: "x", z: "x" });
  });

  it("may differ if all sizes work", () => {
    const inputs = ["a float32[batch,4]", "b float32[4,other]"];
    expect(equalIn(graphOf({ inputs, nodes: [node("MatMul", ["a", "b"], ["y"])] }))).toEqual({});
  });

  it("do not include the number of cache rows, which grows from step to step", () => {
    const graph = graphOf({
      inputs: ["ids float32[batch,sequence]", "positions float32[batch,past]"],
      nodes: [node("Add", ["ids", "positions"], ["y"])],
    });
    expect(equalIn(graph)).toEqual({ past: "sequence" });
    expect(equalIn({ ...graph, caches: [{ positions: "positions", states: [] }] })).toEqual({});
  });

  it("may differ if no pair helps, so that planning names the sizes in the file", () => {
    const inputs = ["a float32[batch,4]", "b float32[other,5]"];
    expect(equalIn(graphOf({ inputs, nodes: [node("Add", ["a", "b"], ["y"])] }))).toEqual({});
  });
});

it("a graph with one name for them can be evaluated, and its inputs share the sizes", () => {
  const graph = withSizes(viewedMask, findEqualSizes(viewedMask));
  const { values } = evaluatePair(graph);
  expect(values.get("mask")!.dims).toEqual(values.get("ids")!.dims);
  expect(values.get("y")!.dims).toEqual(values.get("ids")!.dims);
});
