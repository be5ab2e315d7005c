import type { Entry } from "@ringrank/policy";
import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { filledInputs } from "./filling-entry.js";

const any = (name: string) => ({ scale: 1, symbols: [name] });

/** A decoder with a cache of its own, and one of what was encoded. */
const decode: Entry = {
  inputs: [
    { name: "positions", type: "int64", dims: [any("batch"), any("past")] },
    { name: "past", type: "float32", dims: [any("batch"), any("past")] },
    { name: "source_positions", type: "int64", dims: [any("batch"), any("source")] },
    { name: "encoded", type: "float32", dims: [any("batch"), any("source")] },
  ],
  outputs: [],
  steps: [],
  caches: [
    { positions: "positions", states: [{ past: "past", present: "present", axis: 1 }] },
    {
      positions: "source_positions",
      filledBy: "encode",
      states: [{ past: "encoded", present: "cross", axis: 1 }],
    },
  ],
};

test("a row of every source is at its own index, padding at -1, and what was encoded is the cache", () => {
  const mask = new Tensor("int64", [1n, 1n, 1n, 0n, 1n, 1n], [2, 3]);
  const cross = new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  const inputs = filledInputs(decode, new Map([["cross", cross]]), mask);
  expect([...inputs.keys()]).toEqual(["source_positions", "encoded"]);
  expect(inputs.get("source_positions")!.dims).toEqual([2, 3]);
  expect([...(inputs.get("source_positions")!.data as BigInt64Array)]).toEqual([0n, 1n, 2n, -1n, 1n, 2n]);
  expect(inputs.get("encoded")).toBe(cross);
});
