import { expect, test } from "vitest";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "QuantizeLinear",
    says: "has the zero point's type",
    inputs: ["float32[2,3]", "float32[]", "int8[]"],
    gives: ["int8[2,3]"],
  },
  {
    operator: "QuantizeLinear",
    says: "is uint8 without one",
    inputs: ["float32[2,3]", "float32[]"],
    gives: ["uint8[2,3]"],
  },
  {
    operator: "DequantizeLinear",
    says: "has the scale's type",
    inputs: ["int8[2,3]", "float32[]"],
    gives: ["float32[2,3]"],
  },
  {
    operator: "DynamicQuantizeLinear",
    says: "gives scale and zero point",
    inputs: ["float32[2,3]"],
    gives: ["uint8[2,3]", "float32[]", "uint8[]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
