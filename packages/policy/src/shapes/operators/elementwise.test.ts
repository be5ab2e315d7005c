import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Cast",
    says: "changes the type, and truncates contents",
    inputs: [known("float32", [2], [2.7, -2.7])],
    attributes: { to: 7 },
    gives: ["int64[2]"],
    contents: [2, -2],
  },
  {
    operator: "Cast",
    says: "makes bool 0 or 1",
    inputs: [int64(0, 5)],
    attributes: { to: 9 },
    gives: ["bool[2]"],
    contents: [0, 1],
  },
  {
    operator: "CastLike",
    says: "takes the type of its second input",
    inputs: ["int64[2]", "float16[9]"],
    gives: ["float16[2]"],
  },
  { operator: "Neg", says: "negates", inputs: [int64(3, 0)], gives: ["int64[2]"], contents: [-3, 0] },
  { operator: "Abs", says: "drops the sign", inputs: [int64(-3)], gives: ["int64[1]"], contents: [3] },
  {
    operator: "Not",
    says: "inverts",
    inputs: [known("bool", [2], [0, 1])],
    gives: ["bool[2]"],
    contents: [1, 0],
  },
  {
    operator: "Floor",
    says: "rounds down",
    inputs: [known("float32", [2], [1.5, -1.5])],
    gives: ["float32[2]"],
    contents: [1, -2],
  },
  {
    operator: "Ceil",
    says: "rounds up",
    inputs: [known("float32", [2], [1.5, 2.25])],
    gives: ["float32[2]"],
    contents: [2, 3],
  },
  {
    operator: "Round",
    says: "rounds halves to even",
    inputs: [known("float32", [4], [0.5, 1.5, 2.5, 3.75])],
    gives: ["float32[4]"],
    contents: [0, 2, 2, 4],
  },
  {
    operator: "Sqrt",
    says: "rounds to float32",
    inputs: [known("float32", [1], [2])],
    gives: ["float32[1]"],
    contents: [Math.fround(Math.SQRT2)],
  },
  {
    operator: "Clip",
    says: "clamps contents",
    inputs: [int64(-5, 5, 50), known("int64", [], [0]), known("int64", [], [9])],
    gives: ["int64[3]"],
    contents: [0, 5, 9],
  },
  { operator: "Identity", says: "keeps all", inputs: [int64(1, 2)], gives: ["int64[2]"], contents: [1, 2] },
  {
    operator: "Dropout",
    says: "gives a bool mask",
    inputs: ["float32[2,3]"],
    gives: ["float32[2,3]", "bool[2,3]"],
  },
  { operator: "IsNaN", says: "gives bool", inputs: ["float32[2,3]"], gives: ["bool[2,3]"] },
  { operator: "Erf", says: "keeps type and shape", inputs: ["float32[2,3]"], gives: ["float32[2,3]"] },
  { operator: "Gelu", says: "keeps type and shape", inputs: ["float32[2,3]"], gives: ["float32[2,3]"] },
  {
    operator: "com.microsoft::QuickGelu",
    says: "keeps type and shape",
    inputs: ["float32[2,3]"],
    gives: ["float32[2,3]"],
  },
  {
    operator: "com.microsoft::FastGelu",
    says: "keeps type and shape",
    inputs: ["float32[2,3]", "float32[3]"],
    gives: ["float32[2,3]"],
  },
  {
    operator: "com.microsoft::BiasGelu",
    says: "keeps type and shape",
    inputs: ["float32[2,3]", "float32[3]"],
    gives: ["float32[2,3]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
