import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Gather",
    says: "replaces the axis by the indices' shape",
    inputs: ["float32[4,5,6]", "int64[2,3]"],
    attributes: { axis: 1 },
    gives: ["float32[4,2,3,6]"],
  },
  {
    operator: "Gather",
    says: "drops the axis for a scalar index",
    inputs: ["float32[4,5]", known("int64", [], [1])],
    gives: ["float32[5]"],
  },
  {
    operator: "Gather",
    says: "reads contents, counting negative indices from the end",
    inputs: [known("int64", [2, 2], [1, 2, 3, 4]), int64(-1, 0)],
    attributes: { axis: 1 },
    gives: ["int64[2,2]"],
    contents: [2, 1, 4, 3],
  },
  {
    operator: "GatherElements",
    says: "has the indices' shape",
    inputs: ["float32[4,5]", "int64[4,2]"],
    attributes: { axis: 1 },
    gives: ["float32[4,2]"],
  },
  {
    operator: "GatherND",
    says: "chooses by the last axis of the indices",
    inputs: ["float32[4,5,6]", "int64[3,2]"],
    gives: ["float32[3,6]"],
  },
  {
    operator: "GatherND",
    says: "shares batch axes",
    inputs: ["float32[4,5,6]", "int64[4,3,1]"],
    attributes: { batch_dims: 1 },
    gives: ["float32[4,3,6]"],
  },
  {
    operator: "ScatterND",
    says: "has the shape of the data",
    inputs: ["float32[4,5]", "int64[3,1]", "float32[3,5]"],
    gives: ["float32[4,5]"],
  },
  {
    operator: "ScatterND",
    says: "writes contents",
    inputs: [int64(1, 2, 3, 4), known("int64", [2, 1], [3, 0]), int64(9, 8)],
    gives: ["int64[4]"],
    contents: [8, 2, 3, 9],
  },
  {
    operator: "ScatterElements",
    says: "has the shape of the data",
    inputs: ["float32[4,5]", "int64[4,2]", "float32[4,2]"],
    attributes: { axis: 1 },
    gives: ["float32[4,5]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
