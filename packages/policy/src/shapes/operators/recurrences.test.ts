import { expect, test } from "vitest";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "LSTM",
    says: "gives every state, the last one and the last cell",
    inputs: ["float32[7,2,4]", "float32[2,20,4]", "float32[2,20,5]"],
    attributes: { hidden_size: 5, direction: "bidirectional" },
    gives: ["float32[7,2,2,5]", "float32[2,2,5]", "float32[2,2,5]"],
  },
  {
    operator: "GRU",
    says: "has the batch first with layout 1",
    inputs: ["float32[2,7,4]", "float32[1,15,4]", "float32[1,15,5]"],
    attributes: { hidden_size: 5, layout: 1 },
    gives: ["float32[2,7,1,5]", "float32[2,1,5]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  expect(evaluateCase(spec, spec.gives.length).gives).toEqual(spec.gives);
});
