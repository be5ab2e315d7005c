import type { Communicator } from "@ringrank/collectives";
import type { Entry, LocalValue } from "@ringrank/policy";
import { expect, test } from "vitest";
import { type CompiledEntry, compileEntry } from "../execution/compile-entry.js";
import type { CompiledStep } from "../execution/compiled-step.js";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import { symbol } from "../testing/tiny-program.js";
import { runRequest } from "./run-request.js";

const x: LocalValue = { name: "x", type: "float32", dims: [symbol("rows")] };
const context = { communicator: {} as Communicator, gate: new NativeGate(new Lifecycle(1).buffer, 0) };

test("an output lies in memory of its own, since a message takes the whole memory with it", async () => {
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
    context,
  );
  expect(outputs.x).toEqual({ type: "float32", dims: [2], data: Float32Array.of(2, 3) });
  expect(outputs.x!.data.buffer.byteLength).toBe(8);
});

test.each([
  ["asked for", ["x"]],
  ["not asked for", []],
])("what an entry gives in the kernels' memory goes back there, where it is %s", async (_, outputs) => {
  const memory = new KernelMemory(1);
  const free = memory.bytesFree;
  const run: CompiledStep["run"] = ({ table }) => {
    table[0] = TransientTensor.take(memory, [2]);
  };
  const compiled: CompiledEntry = {
    entry: { inputs: [], outputs: [x], steps: [], caches: [] },
    indices: new Map([["x", 0]]),
    steps: [{ step: { run }, drop: [], meanwhile: undefined }],
    attention: undefined,
  };
  const request = { entry: "forward", inputs: {}, outputs, logits: "all" } as const;
  expect(Object.keys(await runRequest(compiled, undefined, request, context))).toEqual(outputs);
  expect(memory.bytesFree).toBe(free);
});
