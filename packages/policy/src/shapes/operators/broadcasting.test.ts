import { expect, test } from "vitest";
import { evaluateCase, int64, known, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Add",
    says: "broadcasts from the right",
    inputs: ["float32[2,1,4]", "float32[3,1]"],
    gives: ["float32[2,3,4]"],
  },
  {
    operator: "Add",
    says: "broadcasts size 1 to size 0",
    inputs: ["float32[1]", "float32[0]"],
    gives: ["float32[0]"],
  },
  {
    operator: "Add",
    says: "adds contents",
    inputs: [known("int64", [2, 1], [10, 20]), int64(1, 2, 3)],
    gives: ["int64[2,3]"],
    contents: [11, 12, 13, 21, 22, 23],
  },
  { operator: "Sub", says: "subtracts", inputs: [int64(5), int64(7)], gives: ["int64[1]"], contents: [-2] },
  {
    operator: "Mul",
    says: "multiplies",
    inputs: [int64(5, 6), known("int64", [], [2])],
    gives: ["int64[2]"],
    contents: [10, 12],
  },
  {
    operator: "Div",
    says: "truncates integers towards zero",
    inputs: [int64(7, -7), int64(2)],
    gives: ["int64[2]"],
    contents: [3, -3],
  },
  {
    operator: "Div",
    says: "divides floats",
    inputs: [known("float32", [1], [7]), known("float32", [1], [2])],
    gives: ["float32[1]"],
    contents: [3.5],
  },
  {
    operator: "Mod",
    says: "has the divisor's sign",
    inputs: [int64(7, -7), int64(3)],
    gives: ["int64[2]"],
    contents: [1, 2],
  },
  {
    operator: "Mod",
    says: "has the dividend's sign with fmod",
    inputs: [int64(7, -7), int64(3)],
    attributes: { fmod: 1 },
    gives: ["int64[2]"],
    contents: [1, -1],
  },
  {
    operator: "Pow",
    says: "has the base's type",
    inputs: [known("float32", [2], [3, 2]), known("float32", [], [2])],
    gives: ["float32[2]"],
    contents: [9, 4],
  },
  {
    operator: "Max",
    says: "takes any number of tensors",
    inputs: [int64(1, 9), int64(4, 4), known("int64", [], [3])],
    gives: ["int64[2]"],
    contents: [4, 9],
  },
  {
    operator: "Min",
    says: "takes the least",
    inputs: [int64(1, 9), int64(4, 4)],
    gives: ["int64[2]"],
    contents: [1, 4],
  },
  {
    operator: "Sum",
    says: "adds all",
    inputs: ["float32[2,1]", "float32[3]", "float32[1,1,1]"],
    gives: ["float32[1,2,3]"],
  },
  {
    operator: "Mean",
    says: "averages all",
    inputs: [known("float32", [1], [2]), known("float32", [1], [5])],
    gives: ["float32[1]"],
    contents: [3.5],
  },
  {
    operator: "Equal",
    says: "gives bool",
    inputs: [int64(1, 2), int64(2)],
    gives: ["bool[2]"],
    contents: [0, 1],
  },
  {
    operator: "Less",
    says: "compares",
    inputs: [int64(1, 2), int64(2)],
    gives: ["bool[2]"],
    contents: [1, 0],
  },
  {
    operator: "GreaterOrEqual",
    says: "compares",
    inputs: [int64(1, 2), int64(2)],
    gives: ["bool[2]"],
    contents: [0, 1],
  },
  {
    operator: "And",
    says: "joins",
    inputs: [known("bool", [2], [1, 1]), known("bool", [2], [0, 1])],
    gives: ["bool[2]"],
    contents: [0, 1],
  },
  {
    operator: "Or",
    says: "joins",
    inputs: [known("bool", [2], [0, 1]), known("bool", [2], [0, 0])],
    gives: ["bool[2]"],
    contents: [0, 1],
  },
  {
    operator: "Where",
    says: "broadcasts all three and has the type of the choices",
    inputs: ["bool[3,1]", "float32[2]", "float32[4,1,1]"],
    gives: ["float32[4,3,2]"],
  },
  {
    operator: "Where",
    says: "chooses contents",
    inputs: [known("bool", [3], [1, 0, 1]), int64(1, 2, 3), known("int64", [], [-1])],
    gives: ["int64[3]"],
    contents: [1, -1, 3],
  },
  {
    operator: "PRelu",
    says: "broadcasts the slope",
    inputs: ["float32[2,3]", "float32[3]"],
    gives: ["float32[2,3]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});
