import { runRanks } from "@ringrank/collectives";
import { expect, it } from "vitest";
import { moduleUrl } from "../testing/inline-task.js";

it.each([
  ["grows", 500, 1000],
  ["shrinks", 1000, 500],
])(
  "sums an array that %s with its buffer between two calls, at its current length",
  async (_, before, after) => {
    const task = moduleUrl(`
    export function run(comm, { before, after }) {
      const buffer = new ArrayBuffer(4 * before, { maxByteLength: 4000 });
      const data = new Float32Array(buffer);
      comm.allReduce(data);
      buffer.resize(4 * after);
      for (let i = 0; i < data.length; i++) data[i] = i;
      return comm.allReduce(data).slice();
    }`);
    const sums = Float32Array.from({ length: after }, (_, i) => 2 * i);
    expect(await runRanks(2, task, { before, after })).toEqual([sums, sums]);
  },
);

// Copied one by one, by words, and by bytes.
it.each([10, 100, 1000])("reduces only the %i elements of a view on a larger buffer", async (length) => {
  const task = moduleUrl(`
    export function run(comm, length) {
      const whole = new Float32Array(length + 8).fill(comm.rank + 1);
      comm.allReduce(whole.subarray(3, 3 + length));
      return whole;
    }`);
  const expected = [1, 2].map((own) => new Float32Array(length + 8).fill(own).fill(3, 3, 3 + length));
  expect(await runRanks(2, task, length)).toEqual(expected);
});
