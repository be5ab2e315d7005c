import { expect, test } from "vitest";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "MatMul",
    says: "multiplies matrices",
    inputs: ["float32[2,3]", "float32[3,4]"],
    gives: ["float32[2,4]"],
  },
  {
    operator: "MatMul",
    says: "broadcasts batch axes",
    inputs: ["float32[5,1,2,3]", "float32[7,3,4]"],
    gives: ["float32[5,7,2,4]"],
  },
  {
    operator: "MatMul",
    says: "drops the axis of a vector on the left",
    inputs: ["float32[3]", "float32[5,3,4]"],
    gives: ["float32[5,4]"],
  },
  {
    operator: "MatMul",
    says: "drops the axis of a vector on the right",
    inputs: ["float32[5,2,3]", "float32[3]"],
    gives: ["float32[5,2]"],
  },
  {
    operator: "MatMul",
    says: "gives a scalar for two vectors",
    inputs: ["float32[3]", "float32[3]"],
    gives: ["float32[]"],
  },
  {
    operator: "MatMulInteger",
    says: "gives int32",
    inputs: ["uint8[2,3]", "uint8[3,4]"],
    gives: ["int32[2,4]"],
  },
  {
    operator: "Gemm",
    says: "transposes by attributes and adds a bias",
    inputs: ["float32[3,2]", "float32[4,3]", "float32[4]"],
    attributes: { transA: 1, transB: 1 },
    gives: ["float32[2,4]"],
  },
  {
    operator: "Einsum",
    says: "keeps the letters of the output",
    inputs: ["float32[2,3,4]", "float32[2,4,5]"],
    attributes: { equation: "bij,bjk->bik" },
    gives: ["float32[2,3,5]"],
  },
  {
    operator: "Einsum",
    says: "broadcasts an ellipsis",
    inputs: ["float32[6,1,3,4]", "float32[1,2,4,5]"],
    attributes: { equation: "...ij, ...jk -> ...ik" },
    gives: ["float32[6,2,3,5]"],
  },
  {
    operator: "Einsum",
    says: "without an arrow, outputs the letters that occur once, in alphabetical order",
    inputs: ["float32[3,2]", "float32[3,4]"],
    attributes: { equation: "cb,ca" },
    gives: ["float32[4,2]"],
  },
  {
    operator: "com.microsoft::FusedMatMul",
    says: "transposes the last two axes",
    inputs: ["float32[5,2,3]", "float32[4,3]"],
    attributes: { transB: 1 },
    gives: ["float32[5,2,4]"],
  },
  {
    operator: "com.microsoft::FusedMatMul",
    says: "transposes both",
    inputs: ["float32[5,3,2]", "float32[5,4,3]"],
    attributes: { transA: 1, transB: 1 },
    gives: ["float32[5,2,4]"],
  },
  {
    operator: "com.microsoft::FusedMatMul",
    says: "moves the first axis inward with transBatchA",
    inputs: ["float32[2,5,3]", "float32[5,3,4]"],
    attributes: { transBatchA: 1 },
    gives: ["float32[5,2,4]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
