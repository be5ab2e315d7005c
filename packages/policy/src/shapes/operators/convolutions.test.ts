import { expect, test } from "vitest";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Conv",
    says: "shrinks by the kernel",
    inputs: ["float32[2,3,10]", "float32[8,3,3]"],
    gives: ["float32[2,8,8]"],
  },
  {
    operator: "Conv",
    says: "pads, strides and dilates",
    inputs: ["float32[2,4,10,12]", "float32[8,2,3,3]"],
    attributes: { group: 2, pads: [1, 1, 1, 1], strides: [2, 1], dilations: [1, 2] },
    gives: ["float32[2,8,5,10]"],
  },
  {
    operator: "Conv",
    says: "keeps ⌈size / stride⌉ with SAME_UPPER",
    inputs: ["float32[1,3,11]", "float32[8,3,3]"],
    attributes: { auto_pad: "SAME_UPPER", strides: [2] },
    gives: ["float32[1,8,6]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
