import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Constant",
    says: "holds a tensor",
    inputs: [],
    attributes: {
      value: { kind: "tensor", value: { type: "int64", dims: [2], data: new BigInt64Array([3n, 4n]) } },
    },
    gives: ["int64[2]"],
    contents: [3, 4],
  },
  {
    operator: "Constant",
    says: "holds an integer",
    inputs: [],
    attributes: { value_int: 5 },
    gives: ["int64[]"],
    contents: [5],
  },
  {
    operator: "Constant",
    says: "holds integers",
    inputs: [],
    attributes: { value_ints: [5, 6] },
    gives: ["int64[2]"],
    contents: [5, 6],
  },
  {
    operator: "Constant",
    says: "holds a float",
    inputs: [],
    attributes: { value_float: { kind: "float", value: 0.5 } },
    gives: ["float32[]"],
    contents: [0.5],
  },
  {
    operator: "Constant",
    says: "holds floats",
    inputs: [],
    attributes: { value_floats: { kind: "floats", value: [0.5, 2] } },
    gives: ["float32[2]"],
    contents: [0.5, 2],
  },
  {
    operator: "ConstantOfShape",
    says: "is float32 zeros by default",
    inputs: [int64(2, 3)],
    gives: ["float32[2,3]"],
    contents: [0, 0, 0, 0, 0, 0],
  },
  {
    operator: "ConstantOfShape",
    says: "has the value and type of its attribute",
    inputs: [int64(2)],
    attributes: {
      value: { kind: "tensor", value: { type: "int64", dims: [1], data: new BigInt64Array([7n]) } },
    },
    gives: ["int64[2]"],
    contents: [7, 7],
  },
  {
    operator: "Range",
    says: "counts up to its limit",
    inputs: [known("int64", [], [1]), known("int64", [], [8]), known("int64", [], [3])],
    gives: ["int64[3]"],
    contents: [1, 4, 7],
  },
  {
    operator: "Range",
    says: "counts down",
    inputs: [known("int64", [], [3]), known("int64", [], [0]), known("int64", [], [-1])],
    gives: ["int64[3]"],
    contents: [3, 2, 1],
  },
  {
    operator: "Range",
    says: "adds step by step in float32, as ONNX Runtime does",
    inputs: [0, 0.8, 0.1].map((number) => known("float32", [], [Math.fround(number)])),
    gives: ["float32[8]"],
    contents: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7000000476837158].map(Math.fround),
  },
  {
    operator: "Range",
    says: "is empty if the limit is before the start",
    inputs: [known("int64", [], [3]), known("int64", [], [1]), known("int64", [], [1])],
    gives: ["int64[0]"],
    contents: [],
  },
  {
    operator: "Shape",
    says: "gives all sizes",
    inputs: ["float32[2,3,4]"],
    gives: ["int64[3]"],
    contents: [2, 3, 4],
  },
  {
    operator: "Shape",
    says: "gives sizes from start to end",
    inputs: ["float32[2,3,4,5]"],
    attributes: { start: -3, end: -1 },
    gives: ["int64[2]"],
    contents: [3, 4],
  },
  {
    operator: "Shape",
    says: "clamps start and end",
    inputs: ["float32[2,3]"],
    attributes: { start: -9, end: 9 },
    gives: ["int64[2]"],
    contents: [2, 3],
  },
  {
    operator: "Size",
    says: "counts elements",
    inputs: ["float32[2,3,4]"],
    gives: ["int64[]"],
    contents: [24],
  },
  {
    operator: "EyeLike",
    says: "takes its type from dtype",
    inputs: ["int64[2,3]"],
    attributes: { dtype: 1 },
    gives: ["float32[2,3]"],
  },
  {
    operator: "OneHot",
    says: "inserts the depth at the axis",
    inputs: ["int64[2,3]", known("int64", [], [7]), "float32[2]"],
    attributes: { axis: 1 },
    gives: ["float32[2,7,3]"],
  },
  {
    operator: "NonZero",
    says: "counts the nonzero elements of a constant",
    inputs: [known("int64", [2, 2], [1, 0, 3, 4])],
    gives: ["int64[2,3]"],
  },
  {
    operator: "NonZero",
    says: "treats a scalar as a list of one element, as ONNX Runtime does",
    inputs: [known("int64", [], [4])],
    gives: ["int64[1,1]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
