import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Concat",
    says: "adds sizes along the axis",
    inputs: ["float32[2,3]", "float32[2,4]"],
    attributes: { axis: -1 },
    gives: ["float32[2,7]"],
  },
  {
    operator: "Concat",
    says: "joins contents along an inner axis",
    inputs: [known("int64", [2, 1], [1, 4]), known("int64", [2, 2], [2, 3, 5, 6])],
    attributes: { axis: 1 },
    gives: ["int64[2,3]"],
    contents: [1, 2, 3, 4, 5, 6],
  },
  {
    operator: "Split",
    says: "takes sizes as an input",
    inputs: ["float32[2,7]", int64(3, 4)],
    attributes: { axis: 1 },
    gives: ["float32[2,3]", "float32[2,4]"],
  },
  {
    operator: "Split",
    says: "takes sizes as an attribute, as before opset 13",
    inputs: ["float32[7,2]"],
    attributes: { split: [5, 2] },
    gives: ["float32[5,2]", "float32[2,2]"],
  },
  {
    operator: "Split",
    says: "makes the last of num_outputs smaller",
    inputs: ["float32[7]"],
    attributes: { num_outputs: 3 },
    gives: ["float32[3]", "float32[3]", "float32[1]"],
  },
  {
    operator: "Split",
    says: "cuts contents",
    inputs: [known("int64", [2, 3], [1, 2, 3, 4, 5, 6]), int64(2, 1)],
    attributes: { axis: 1 },
    gives: ["int64[2,2]", "int64[2,1]"],
    contents: [1, 2, 4, 5],
  },
  {
    operator: "Slice",
    says: "clamps bounds",
    inputs: ["float32[5,6]", int64(1, -100), int64(100, 4)],
    gives: ["float32[4,4]"],
  },
  {
    operator: "Slice",
    says: "slices the axes named",
    inputs: ["float32[5,6]", int64(2), int64(4), int64(-1)],
    gives: ["float32[5,2]"],
  },
  {
    operator: "Slice",
    says: "reads a bound of INT64_MAX as the end",
    inputs: ["float32[5,6]", int64(2), int64(Infinity), int64(1)],
    gives: ["float32[5,4]"],
  },
  {
    operator: "Slice",
    says: "walks back with a negative step, contents too",
    inputs: [int64(1, 2, 3, 4, 5), int64(-1), int64(-Infinity), int64(0), int64(-2)],
    gives: ["int64[3]"],
    contents: [5, 3, 1],
  },
  {
    operator: "Slice",
    says: "walks back to the first element if its end is INT_MAX, as ONNX Runtime does",
    inputs: [int64(1, 2, 3), int64(-1), int64(Infinity), int64(0), int64(-1)],
    gives: ["int64[3]"],
    contents: [3, 2, 1],
  },
  {
    operator: "Slice",
    says: "is empty if the end is not after the start",
    inputs: ["float32[5]", int64(4), int64(2)],
    gives: ["float32[0]"],
  },
  {
    operator: "Slice",
    says: "takes bounds as attributes, as before opset 10",
    inputs: ["float32[5,6]"],
    attributes: { starts: [1], ends: [3], axes: [1] },
    gives: ["float32[5,2]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
