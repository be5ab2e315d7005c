import { expect, test } from "vitest";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { type RunExpert, runExperts } from "./run-experts.js";

const floats = (dims: readonly number[], ...values: number[]): Tensor =>
  tensor("float32", Float32Array.from(values), dims);

/** Rows of two elements, and experts that multiply them by 1, 10 and 100. */
const rows = { name: "rows", value: floats([3, 2], 1, 2, 3, 4, 5, 6) };
const factors = [1, 10, 100];

/** Runs experts with these routing weights; also returns the number of rows that each one got. */
async function routed(...weights: number[]) {
  const given: number[] = [];
  const run: RunExpert = async (expert, { data, dims }, use) => {
    given.push(dims[0]!);
    use(floats([1, ...dims], ...(data as Float32Array).map((x) => x * factors[expert]!)));
  };
  const routing = { name: "weights", value: floats([3, 3, 1], ...weights) };
  const { output, ran } = await runExperts(3, rows, routing, [3, 2], run);
  return { sum: [...(output.data as Float32Array)], ran, given };
}

test("an expert only computes the rows routed to it, and does not run without any", async () => {
  // By expert, then by row.
  const { sum, ran, given } = await routed(0, 0.5, 0, 0, 0, 0, 1, 2, -1);
  expect(sum).toEqual([100, 200, 601.5, 802, -500, -600]);
  expect({ ran, given }).toEqual({ ran: 2, given: [1, 3] });
});

test("a NaN weight does not count as 0, so an earlier error does not vanish", async () => {
  const { sum } = await routed(1, 1, 1, Number.NaN, 0, 0, 0, 0, 0);
  expect(sum).toEqual([Number.NaN, Number.NaN, 3, 4, 5, 6]);
});

test("rows with a leading axis of size 1 keep it", async () => {
  const given: (readonly number[])[] = [];
  const stacked = { name: "rows", value: floats([1, 3, 2], 1, 2, 3, 4, 5, 6) };
  const routing = { name: "weights", value: floats([1, 3, 1], 0, 1, 2) };
  const { output } = await runExperts(1, stacked, routing, [3, 2], async (_, made, use) => {
    given.push(made.dims);
    use(made);
  });
  expect(given).toEqual([[1, 2, 2]]);
  expect([...(output.data as Float32Array)]).toEqual([0, 0, 3, 4, 10, 12]);
});
