import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "ReduceSum",
    says: "takes axes as an input and keeps them as 1",
    inputs: ["float32[2,3,4]", int64(-1)],
    gives: ["float32[2,3,1]"],
  },
  {
    operator: "ReduceSum",
    says: "drops axes with keepdims=0, contents too",
    inputs: [known("int64", [2, 3], [1, 2, 3, 4, 5, 6]), int64(0)],
    attributes: { keepdims: 0 },
    gives: ["int64[3]"],
    contents: [5, 7, 9],
  },
  {
    operator: "ReduceSum",
    says: "reduces all axes if none is named",
    inputs: ["float32[2,3]"],
    attributes: { keepdims: 0 },
    gives: ["float32[]"],
  },
  {
    operator: "ReduceSum",
    says: "reduces none with noop_with_empty_axes",
    inputs: ["float32[2,3]"],
    attributes: { noop_with_empty_axes: 1 },
    gives: ["float32[2,3]"],
  },
  {
    operator: "ReduceMean",
    says: "takes axes as an attribute, as before opset 18",
    inputs: ["float32[2,3,4]"],
    attributes: { axes: [1, 2] },
    gives: ["float32[2,1,1]"],
  },
  {
    operator: "ReduceProd",
    says: "multiplies a shape to a size",
    inputs: [int64(2, 3, 4)],
    attributes: { keepdims: 0 },
    gives: ["int64[]"],
    contents: [24],
  },
  {
    operator: "ReduceMax",
    says: "finds the largest",
    inputs: [int64(2, 9, 4)],
    attributes: { keepdims: 0 },
    gives: ["int64[]"],
    contents: [9],
  },
  {
    operator: "ArgMax",
    says: "gives int64 and keeps the axis as 1",
    inputs: ["float32[2,3]"],
    attributes: { axis: 1 },
    gives: ["int64[2,1]"],
  },
  {
    operator: "ArgMin",
    says: "drops the axis with keepdims=0",
    inputs: ["float32[2,3]"],
    attributes: { axis: 0, keepdims: 0 },
    gives: ["int64[3]"],
  },
  {
    operator: "TopK",
    says: "gives k values and their int64 indices",
    inputs: ["float32[2,8]", int64(3)],
    gives: ["float32[2,3]", "int64[2,3]"],
  },
  {
    operator: "Softmax",
    says: "keeps the shape",
    inputs: ["float32[2,3]"],
    attributes: { axis: 1 },
    gives: ["float32[2,3]"],
  },
  {
    operator: "Softmax",
    says: "accepts a list of one axis",
    inputs: ["float32[3]"],
    gives: ["float32[3]"],
  },
  { operator: "LogSoftmax", says: "keeps the shape", inputs: ["float32[2,3]"], gives: ["float32[2,3]"] },
  {
    operator: "CumSum",
    says: "keeps the shape",
    inputs: ["int64[2,3]", known("int64", [], [1])],
    gives: ["int64[2,3]"],
  },
  {
    operator: "CumSum",
    says: "sums along its axis, each row separately",
    inputs: [known("int64", [2, 3], [1, 2, 3, 4, 5, 6]), known("int64", [], [-1])],
    gives: ["int64[2,3]"],
    contents: [1, 3, 6, 4, 9, 15],
  },
  {
    operator: "CumSum",
    says: "sums down a column",
    inputs: [known("int64", [2, 3], [1, 2, 3, 4, 5, 6]), known("int64", [], [0])],
    gives: ["int64[2,3]"],
    contents: [1, 2, 3, 5, 7, 9],
  },
];

test("ReduceSumSquare squares even with noop_with_empty_axes: its contents are not those of its input", () => {
  const spec = {
    operator: "ReduceSumSquare",
    inputs: [int64(2, 3)],
    attributes: { noop_with_empty_axes: 1 },
  };
  expect(evaluateCase(spec)).toEqual({ gives: ["int64[2]"], contents: undefined });
});

test.each(["exclusive", "reverse"])("contents are not propagated through a CumSum that is %s", (way) => {
  const spec = {
    operator: "CumSum",
    inputs: [int64(2, 3), known("int64", [], [0])],
    attributes: { [way]: 1 },
  };
  expect(evaluateCase(spec)).toEqual({ gives: ["int64[2]"], contents: undefined });
});

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
