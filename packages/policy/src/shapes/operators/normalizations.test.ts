import { expect, test } from "vitest";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "LayerNormalization",
    says: "gives the mean and deviation with 1 from the axis on",
    inputs: ["float32[2,3,4]", "float32[3,4]"],
    attributes: { axis: 1 },
    gives: ["float32[2,3,4]", "float32[2,1,1]", "float32[2,1,1]"],
  },
  {
    operator: "RMSNormalization",
    says: "keeps the shape",
    inputs: ["float32[2,3,4]", "float32[4]"],
    gives: ["float32[2,3,4]"],
  },
  {
    operator: "SimplifiedLayerNormalization",
    says: "keeps the shape",
    inputs: ["float32[2,3,4]", "float32[4]"],
    gives: ["float32[2,3,4]", "float32[2,3,1]"],
  },
  {
    operator: "com.microsoft::SkipLayerNormalization",
    says: "gives the sum as its fourth output",
    inputs: ["float32[2,3,4]", "float32[2,3,4]", "float32[4]"],
    gives: ["float32[2,3,4]", "float32[2,3,1]", "float32[2,3,1]", "float32[2,3,4]"],
  },
  {
    operator: "com.microsoft::SkipSimplifiedLayerNormalization",
    says: "gives the sum as its fourth output",
    inputs: ["float32[2,3,4]", "float32[2,3,4]", "float32[4]"],
    gives: ["float32[2,3,4]", "float32[2,3,1]", "float32[2,3,1]", "float32[2,3,4]"],
  },
  {
    operator: "com.microsoft::EmbedLayerNormalization",
    says: "embeds ids",
    inputs: [
      "int32[2,3]",
      "int32[2,3]",
      "float32[9,4]",
      "float32[8,4]",
      "float32[2,4]",
      "float32[4]",
      "float32[4]",
    ],
    gives: ["float32[2,3,4]", "int32[2]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
