import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Reshape",
    says: "0 copies a size and -1 takes the rest",
    inputs: ["float32[2,3,4]", int64(0, -1)],
    gives: ["float32[2,12]"],
  },
  {
    operator: "Reshape",
    says: "allowzero makes 0 a size",
    inputs: ["float32[0,3]", int64(3, 0)],
    attributes: { allowzero: 1 },
    gives: ["float32[3,0]"],
  },
  {
    operator: "Reshape",
    says: "gives a scalar for an empty shape",
    inputs: ["float32[1,1]", int64()],
    gives: ["float32[]"],
  },
  {
    operator: "Reshape",
    says: "keeps contents",
    inputs: [int64(1, 2, 3, 4), int64(2, 2)],
    gives: ["int64[2,2]"],
    contents: [1, 2, 3, 4],
  },
  {
    operator: "Flatten",
    says: "joins axes before and after axis",
    inputs: ["float32[2,3,4,5]"],
    attributes: { axis: 2 },
    gives: ["float32[6,20]"],
  },
  {
    operator: "Flatten",
    says: "counts a negative axis from the end",
    inputs: ["float32[2,3,4]"],
    attributes: { axis: -1 },
    gives: ["float32[6,4]"],
  },
  {
    operator: "Flatten",
    says: "gives [1, n] for axis 0",
    inputs: ["float32[2,3]"],
    attributes: { axis: 0 },
    gives: ["float32[1,6]"],
  },
  {
    operator: "Flatten",
    says: "gives [n, 1] for axis = rank",
    inputs: ["float32[2,3]"],
    attributes: { axis: 2 },
    gives: ["float32[6,1]"],
  },
  {
    operator: "Squeeze",
    says: "drops the axes in its input",
    inputs: ["float32[1,3,1]", int64(-1)],
    gives: ["float32[1,3]"],
  },
  {
    operator: "Squeeze",
    says: "drops every axis of size 1 if none is named",
    inputs: ["float32[1,3,1]"],
    gives: ["float32[3]"],
  },
  {
    operator: "Squeeze",
    says: "drops every axis of size 1 if its list of axes is empty, as ONNX Runtime does",
    inputs: ["float32[1,3,1]", int64()],
    gives: ["float32[3]"],
  },
  {
    operator: "Squeeze",
    says: "takes axes as an attribute, as before opset 13",
    inputs: ["float32[1,3,1]"],
    attributes: { axes: [0] },
    gives: ["float32[3,1]"],
  },
  {
    operator: "Unsqueeze",
    says: "counts axes in the output",
    inputs: ["float32[3,4]", int64(0, -1)],
    gives: ["float32[1,3,4,1]"],
  },
  {
    operator: "Unsqueeze",
    says: "keeps contents",
    inputs: [known("int64", [], [5]), int64(0)],
    gives: ["int64[1]"],
    contents: [5],
  },
  {
    operator: "Unsqueeze",
    says: "takes axes as an attribute, as before opset 13",
    inputs: ["float32[3]"],
    attributes: { axes: [1] },
    gives: ["float32[3,1]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
