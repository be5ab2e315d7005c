import type { Communicator } from "@ringrank/collectives";
import type { Entry, LocalValue } from "@ringrank/policy";
import { expect, test } from "vitest";
import { compileEntry } from "../execution/compile-entry.js";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import { symbol } from "../testing/tiny-program.js";
import { runRequest } from "./run-request.js";

test("an output lies in memory of its own, since a message takes the whole memory with it", async () => {
  const x: LocalValue = { name: "x", type: "float32", dims: [symbol("rows")] };
  const entry: Entry = { inputs: [x], outputs: [x], steps: [], caches: [] };
  const compiled = compileEntry("forward", entry, {
    segments: [],
    sessions: [],
    keptWeights: new Map(),
    kernelsOf: () => undefined,
    streamedScales: new StreamedScales(),
    kernels: undefined,
    attention: undefined,
  });
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  const outputs = await runRequest(
    compiled,
    undefined,
    { entry: "forward", inputs: { x: { type: "float32", dims: [2], data } }, outputs: ["x"], logits: "all" },
    { communicator: {} as Communicator, gate: new NativeGate(new Lifecycle(1).buffer, 0) },
  );
  expect(outputs.x).toEqual({ type: "float32", dims: [2], data: Float32Array.of(2, 3) });
  expect(outputs.x!.data.buffer.byteLength).toBe(8);
});
