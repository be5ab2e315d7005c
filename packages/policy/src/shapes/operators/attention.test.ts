import { expect, test } from "vitest";
import { evaluateCase, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Attention",
    says: "takes heads as an axis, and appends to the past",
    inputs: [
      "float32[2,8,3,16]",
      "float32[2,4,3,16]",
      "float32[2,4,3,6]",
      "",
      "float32[2,4,5,16]",
      "float32[2,4,5,6]",
    ],
    gives: ["float32[2,8,3,6]", "float32[2,4,8,16]", "float32[2,4,8,6]"],
  },
  {
    operator: "Attention",
    says: "takes heads joined with their size",
    inputs: ["float32[2,3,128]", "float32[2,7,64]", "float32[2,7,24]"],
    attributes: { q_num_heads: 8, kv_num_heads: 4 },
    gives: ["float32[2,3,48]"],
  },
  {
    operator: "RotaryEmbedding",
    says: "keeps the shape",
    inputs: ["float32[2,8,3,16]", "float32[2,3,8]", "float32[2,3,8]"],
    gives: ["float32[2,8,3,16]"],
  },
  {
    operator: "com.microsoft::RotaryEmbedding",
    says: "keeps the shape",
    inputs: ["float32[2,8,3,16]", "int64[2,3]", "float32[9,8]", "float32[9,8]"],
    gives: ["float32[2,8,3,16]"],
  },
  {
    operator: "com.microsoft::Attention",
    says: "projects one input, and appends to the past",
    inputs: ["float32[2,3,32]", "float32[32,96]", "float32[96]", "", "float32[2,2,4,5,8]"],
    attributes: { num_heads: 4 },
    gives: ["float32[2,3,32]", "float32[2,2,4,8,8]"],
  },
  {
    operator: "com.microsoft::Attention",
    says: "takes sizes of q, k and v",
    inputs: ["float32[2,3,32]", "float32[32,80]", "float32[80]"],
    attributes: { num_heads: 4, qkv_hidden_sizes: [32, 32, 16] },
    gives: ["float32[2,3,16]"],
  },
  {
    operator: "com.microsoft::MultiHeadAttention",
    says: "takes joined heads and appends to the past",
    inputs: [
      "float32[2,3,32]",
      "float32[2,3,32]",
      "float32[2,3,32]",
      "",
      "",
      "",
      "float32[2,4,5,8]",
      "float32[2,4,5,8]",
    ],
    attributes: { num_heads: 4 },
    gives: ["float32[2,3,32]", "float32[2,4,8,8]", "float32[2,4,8,8]"],
  },
  {
    operator: "com.microsoft::MultiHeadAttention",
    says: "takes keys and values with heads as an axis",
    inputs: ["float32[2,3,32]", "float32[2,4,7,8]", "float32[2,4,7,8]"],
    attributes: { num_heads: 4 },
    gives: ["float32[2,3,32]"],
  },
  {
    operator: "com.microsoft::MultiHeadAttention",
    says: "takes values of another size",
    inputs: ["float32[2,3,32]", "float32[2,7,32]", "float32[2,7,16]"],
    attributes: { num_heads: 4 },
    gives: ["float32[2,3,16]"],
  },
  {
    operator: "com.microsoft::GroupQueryAttention",
    says: "appends to the past",
    inputs: [
      "float32[2,1,128]",
      "float32[2,1,64]",
      "float32[2,1,64]",
      "float32[2,4,5,16]",
      "float32[2,4,5,16]",
      known("int32", [2], [5, 5]),
      known("int32", [], [6]),
    ],
    attributes: { num_heads: 8, kv_num_heads: 4 },
    gives: ["float32[2,1,128]", "float32[2,4,6,16]", "float32[2,4,6,16]"],
  },
  {
    operator: "com.microsoft::GroupQueryAttention",
    says: "keeps a buffer longer than the total",
    inputs: [
      "float32[1,1,128]",
      "float32[1,1,64]",
      "float32[1,1,64]",
      "float32[1,4,32,16]",
      "float32[1,4,32,16]",
      known("int32", [1], [5]),
      known("int32", [], [6]),
    ],
    attributes: { num_heads: 8, kv_num_heads: 4 },
    gives: ["float32[1,1,128]", "float32[1,4,32,16]", "float32[1,4,32,16]"],
  },
  {
    operator: "com.microsoft::GroupQueryAttention",
    says: "takes query, key and value packed",
    inputs: [
      "float32[2,3,256]",
      "",
      "",
      "float32[2,4,0,16]",
      "float32[2,4,0,16]",
      known("int32", [2], [2, 2]),
      known("int32", [], [3]),
    ],
    attributes: { num_heads: 8, kv_num_heads: 4 },
    gives: ["float32[2,3,128]", "float32[2,4,3,16]", "float32[2,4,3,16]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
