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
  {
    operator: "com.microsoft::LinearAttention",
    says: "outputs values of every head with a state, even if there are fewer query heads, and the new states",
    inputs: ["float32[2,7,16]", "float32[2,7,16]", "float32[2,7,24]", "", "float32[2,7,4]", "float32[2,7,4]"],
    attributes: { q_num_heads: 2, kv_num_heads: 4 },
    gives: ["float32[2,7,24]", "float32[2,4,8,6]"],
  },
  {
    operator: "com.microsoft::LinearAttention",
    says: "outputs values for every query head if several share a state",
    inputs: ["float32[2,7,32]", "float32[2,7,16]", "float32[2,7,12]", "float32[2,2,8,6]"],
    attributes: { q_num_heads: 4, kv_num_heads: 2, update_rule: "linear" },
    gives: ["float32[2,7,24]", "float32[2,2,8,6]"],
  },
  {
    operator: "com.microsoft::CausalConvWithState",
    says: "keeps as many positions as its window looks back",
    inputs: ["float32[2,8,7]", "float32[8,1,4]"],
    attributes: { dilation: 2 },
    gives: ["float32[2,8,7]", "float32[2,8,6]"],
  },
  {
    operator: "com.microsoft::CausalConvWithState",
    says: "takes channels on the last axes",
    inputs: ["float32[2,7,2,4]", "float32[8,1,4]", "float32[8]", "float32[2,3,2,4]"],
    attributes: { channels_last: 1 },
    gives: ["float32[2,7,2,4]", "float32[2,3,2,4]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  expect(evaluateCase(spec, spec.gives.length).gives).toEqual(spec.gives);
});
