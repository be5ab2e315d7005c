import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Resize",
    says: "multiplies by scales, rounding down",
    inputs: ["float32[2,4,8,5]", "", known("float32", [4], [1, 1, 2, 1.5])],
    gives: ["float32[2,4,16,7]"],
  },
  {
    operator: "Resize",
    says: "multiplies in float32, as ONNX Runtime does: 10 · 0.7f, a little less than 7, is rounded to 7",
    inputs: ["float32[2,4,10,10]", "", known("float32", [4], [1, 1, 0.7, 0.7].map(Math.fround))],
    gives: ["float32[2,4,7,7]"],
  },
  {
    operator: "Resize",
    says: "takes sizes of named axes",
    inputs: ["float32[2,4,8,6]", "", "", int64(4, 3)],
    attributes: { axes: [2, 3] },
    gives: ["float32[2,4,4,3]"],
  },
  {
    operator: "Resize",
    says: "keeps the aspect ratio within the sizes",
    inputs: ["float32[2,4,8,6]", "", "", int64(4, 6)],
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
    gives: ["float32[2,4,4,3]"],
  },
  {
    operator: "DepthToSpace",
    says: "turns channels into squares",
    inputs: ["float32[2,12,5,6]"],
    attributes: { blocksize: 2 },
    gives: ["float32[2,3,10,12]"],
  },
  {
    operator: "SpaceToDepth",
    says: "turns squares into channels",
    inputs: ["float32[2,3,10,12]"],
    attributes: { blocksize: 2 },
    gives: ["float32[2,12,5,6]"],
  },
  {
    operator: "GridSample",
    says: "has the grid's sizes",
    inputs: ["float32[2,3,10,12]", "float32[2,4,5,2]"],
    gives: ["float32[2,3,4,5]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
