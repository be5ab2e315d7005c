import { runRanks } from "@ringrank/collectives";
import { expect, it } from "vitest";
import { moduleUrl } from "../testing/inline-task.js";

it.each([
  ["grows", 500, 1000],
  ["shrinks", 1000, 500],
])(
  "an array that %s with its buffer between two calls is summed as long as it is",
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
