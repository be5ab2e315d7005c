import type { LocalValue } from "@ringrank/policy";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { tensor } from "../tensors/tensor.js";
import { size, symbol } from "../testing/tiny-program.js";
import { InputSizes } from "./input-sizes.js";

const declared: LocalValue[] = [
  { name: "ids", type: "float32", dims: [symbol("batch"), symbol("sequence")] },
  { name: "past", type: "float32", dims: [symbol("batch"), size(2)] },
];
const input = (...dims: number[]) => tensor("float32", new Float32Array(0), dims);

test("inputs of other sizes than the last run's determine the sizes anew", () => {
  const sizes = new InputSizes(declared);
  const runs = [
    [input(1, 5), input(1, 2)],
    [input(1, 1), input(1, 2)],
    [input(3, 1), input(3, 2)],
    [input(1, 5), input(1, 2)],
  ].map((inputs) => Object.fromEntries(sizes.bind(inputs)));
  expect(runs).toEqual([
    { batch: 1, sequence: 5 },
    { batch: 1, sequence: 1 },
    { batch: 3, sequence: 1 },
    { batch: 1, sequence: 5 },
  ]);
});

test("inputs of the same sizes as in the last run are not examined again", () => {
  const sizes = new InputSizes(declared);
  const first = sizes.bind([input(1, 5), input(1, 2)]);
  expect(sizes.bind([input(1, 5), input(1, 2)])).toBe(first);
});

test("refuses sizes that contradict one another, also after some that did not", () => {
  const sizes = new InputSizes(declared);
  sizes.bind([input(1, 5), input(1, 2)]);
  for (const inputs of [
    [input(1, 5), input(2, 2)],
    [input(1, 5), input(1, 3)],
    [input(1), input(1, 2)],
  ]) {
    for (let time = 0; time < 2; time++) expectCode("RR_SHAPE", () => sizes.bind(inputs));
  }
});

test("refuses an input that is missing, by name, also if the last run had it", () => {
  const sizes = new InputSizes(declared);
  sizes.bind([input(1, 5), input(1, 2)]);
  const { message } = expectCode("RR_INPUT", () => sizes.bind([input(1, 5), undefined]));
  expect(message).toContain('"past"');
});
