import { expect, test } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Transpose",
    says: "permutes",
    inputs: ["float32[2,3,4]"],
    attributes: { perm: [2, 0, 1] },
    gives: ["float32[4,2,3]"],
  },
  {
    operator: "Transpose",
    says: "reverses without perm, contents too",
    inputs: [known("int64", [2, 3], [1, 2, 3, 4, 5, 6])],
    gives: ["int64[3,2]"],
    contents: [1, 4, 2, 5, 3, 6],
  },
  {
    operator: "Expand",
    says: "broadcasts both ways",
    inputs: ["float32[3,1]", int64(2, 1, 4)],
    gives: ["float32[2,3,4]"],
  },
  {
    operator: "Expand",
    says: "repeats contents",
    inputs: [known("int64", [2, 1], [7, 8]), int64(1, 3)],
    gives: ["int64[2,3]"],
    contents: [7, 7, 7, 8, 8, 8],
  },
  {
    operator: "Tile",
    says: "repeats along every axis, contents too",
    inputs: [known("int64", [2, 2], [1, 2, 3, 4]), int64(2, 2)],
    gives: ["int64[4,4]"],
    contents: [1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4],
  },
  {
    operator: "Pad",
    says: "adds starts and ends",
    inputs: ["float32[2,3]", int64(0, 1, 0, 2)],
    gives: ["float32[2,6]"],
  },
  {
    operator: "Pad",
    says: "crops if pads are negative",
    inputs: ["float32[2,3]", int64(0, -1, 0, 0)],
    gives: ["float32[2,2]"],
  },
  {
    operator: "Pad",
    says: "pads only the axes named",
    inputs: ["float32[2,3,4]", int64(1, 1), "", int64(-1)],
    gives: ["float32[2,3,6]"],
  },
  { operator: "Trilu", says: "keeps the shape", inputs: ["float32[2,3,4]"], gives: ["float32[2,3,4]"] },
];

test.each([[[0, 1]], [[0, 1, 1]], [[0, 2, -2]]])("Transpose refuses to order three axes by %j", (perm) => {
  const spec = { operator: "Transpose", inputs: ["float32[2,3,4]"], attributes: { perm } };
  expectCode("RR_GRAPH", () => evaluateCase(spec));
});

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
