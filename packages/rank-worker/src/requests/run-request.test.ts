import { createGroup, joinGroup } from "@ringrank/collectives";
import type { Entry, LocalValue } from "@ringrank/policy";
import { describe, expect, test } from "vitest";
import { compileEntry } from "../compilation/compile-entry.js";
import type { CompiledEntry, PlacedStep } from "../execution/compiled-entry.js";
import { InputSizes } from "../execution/input-sizes.js";
import type { CompiledStep } from "../execution/steps/compiled-step.js";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { TensorMessage } from "../protocol.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { compileContext, runContext } from "../testing/compile-context.js";
import { symbol } from "../testing/tiny-program.js";
import { runRequest } from "./run-request.js";

const x: LocalValue = { name: "x", type: "float32", dims: [symbol("rows")] };
const context = runContext();

test("an output is in memory of its own, since a message transfers the whole memory", async () => {
  const entry: Entry = { inputs: [x], outputs: [x], steps: [], caches: [] };
  const compiled = compileEntry("forward", entry, compileContext());
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

/** An entry that computes its outputs from its inputs, by name, synchronously. */
function compiledEntry(
  entry: Pick<Entry, "inputs" | "outputs"> & Partial<Entry>,
  make: (inputOf: (name: string) => Tensor) => Readonly<Record<string, Tensor>>,
): CompiledEntry {
  const names = [...entry.inputs, ...entry.outputs].map(({ name }) => name);
  const indices = new Map(names.map((name, index) => [name, index]));
  const run: CompiledStep["run"] = ({ table }) => {
    const made = make((name) => table[indices.get(name)!]!);
    for (const [name, value] of Object.entries(made)) table[indices.get(name)!] = value;
  };
  return {
    entry: { steps: [], caches: [], ...entry },
    values: names.length,
    sizes: new InputSizes(entry.inputs),
    outputs: entry.outputs.map(({ name }) => indices.get(name)),
    steps: [{ step: { run }, drop: [] }],
    cacheSteps: 1,
    outputSteps: new Map(),
    attention: undefined,
  };
}

const ids: LocalValue = { name: "input_ids", type: "int64", dims: [symbol("batch"), symbol("sequence")] };
const mask: LocalValue = { ...ids, name: "attention_mask" };
const two = { scale: 2, symbols: [] };

/** Two sequences of three tokens; the last token of the first one is padding. */
const padded = {
  input_ids: { type: "int64", dims: [2, 3], data: BigInt64Array.of(5n, 6n, 0n, 7n, 8n, 9n) },
  attention_mask: { type: "int64", dims: [2, 3], data: BigInt64Array.of(1n, 1n, 0n, 1n, 1n, 1n) },
} as const;

describe("logits are [batch, sequence or 1, vocabulary]", () => {
  /** For each row, 10 · its index and that plus one. */
  const logitsOf = (rows: readonly number[], dims: readonly number[]) => ({
    logits: tensor("float32", Float32Array.from(rows.flatMap((row) => [10 * row, 10 * row + 1])), dims),
  });
  const ofChosenRows = compiledEntry(
    {
      inputs: [ids, mask, { name: "logit_rows", type: "int64", dims: [symbol("rows")] }],
      outputs: [{ name: "logits", type: "float32", dims: [symbol("rows"), two] }],
    },
    (inputOf) => {
      const rows = Array.from(inputOf("logit_rows").data as BigInt64Array, Number);
      return logitsOf(rows, [rows.length, 2]);
    },
  );
  const ofAllRows = compiledEntry(
    {
      inputs: [ids, mask],
      outputs: [{ name: "logits", type: "float32", dims: [symbol("batch"), symbol("sequence"), two] }],
    },
    () => logitsOf([0, 1, 2, 3, 4, 5], [2, 3, 2]),
  );
  const run = async (
    compiled: CompiledEntry,
    logits: "all" | "last",
    inputs: Record<string, TensorMessage>,
  ) => {
    const request = { entry: "forward", inputs, outputs: ["logits"], logits };
    const { dims, data } = (await runRequest(compiled, undefined, request, context)).logits!;
    return { dims, data: [...(data as Float32Array)] };
  };

  test.each([
    ["computes those of selected rows", ofChosenRows],
    ["computes all", ofAllRows],
  ])("for a graph that %s", async (_, compiled) => {
    expect(await run(compiled, "all", padded)).toEqual({
      dims: [2, 3, 2],
      data: [0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51],
    });
    expect(await run(compiled, "last", padded)).toEqual({ dims: [2, 1, 2], data: [10, 11, 50, 51] });
  });

  test("unless they are a classifier's, which has one row per sequence", async () => {
    const classifier = compiledEntry(
      { inputs: [ids, mask], outputs: [{ name: "logits", type: "float32", dims: [symbol("batch"), two] }] },
      () => logitsOf([0, 1], [2, 2]),
    );
    expect(await run(classifier, "last", padded)).toEqual({ dims: [2, 2], data: [0, 1, 10, 11] });
  });

  test("unless the caller selects the rows", async () => {
    const logit_rows = { type: "int64", dims: [3], data: BigInt64Array.of(4n, 0n, 0n) } as const;
    expect(await run(ofChosenRows, "all", { ...padded, logit_rows })).toEqual({
      dims: [3, 2],
      data: [40, 41, 0, 1, 0, 1],
    });
  });
});

test("a rank without a part of an output still takes part in gathering it", async () => {
  const shard = { axis: 1, size: 2, intervals: [[]] };
  const outputs = [{ name: "y", type: "float32", dims: [symbol("rows"), two], shard }] as const;
  const compiled = compiledEntry({ inputs: [x], outputs }, () => ({}));
  const alone = { ...context, communicator: joinGroup(createGroup({ worldSize: 1 }), 0) };
  const inputs = { x: { type: "float32", dims: [3], data: new Float32Array(3) } } as const;
  const request = { entry: "forward", inputs, outputs: ["y"], logits: "all" } as const;
  const { y } = await runRequest(compiled, undefined, request, alone);
  expect(y!.dims).toEqual([3, 2]);
  expect(alone.communicator.counters.collectives).toBe(1);
});

test("an entry that fills caches must say which of its tokens are padding", async () => {
  const filling = compiledEntry({ inputs: [ids], outputs: [] }, () => ({}));
  const request = {
    entry: "decode",
    inputs: { input_ids: padded.input_ids },
    outputs: [],
    logits: "all",
  } as const;
  const decoding = compiledEntry({ inputs: [], outputs: [] }, () => ({}));
  await expect(runRequest(decoding, filling, request, context)).rejects.toMatchObject({
    code: "RR_POLICY",
    message: expect.stringContaining("attention_mask"),
  });
});

test("the steps after the requested outputs are not run", async () => {
  const y = { ...x, name: "y" };
  const ran: string[] = [];
  const stepOf = (name: string, index: number): PlacedStep => {
    const run: CompiledStep["run"] = ({ table }) => {
      ran.push(name);
      table[index] = tensor("float32", Float32Array.of(index), [1]);
    };
    return { step: { run }, drop: [] };
  };
  const compiled: CompiledEntry = {
    ...compiledEntry({ inputs: [], outputs: [x, y] }, () => ({})),
    steps: [stepOf("x", 0), stepOf("y", 1)],
    outputSteps: new Map([["x", 1]]),
  };
  const request = { entry: "forward", inputs: {}, logits: "all" } as const;
  await runRequest(compiled, undefined, { ...request, outputs: ["x"] }, context);
  expect(ran).toEqual(["x"]);
  const both = await runRequest(compiled, undefined, { ...request, outputs: ["y", "x"] }, context);
  expect(ran).toEqual(["x", "x", "y"]);
  expect(both).toMatchObject({ x: { data: Float32Array.of(0) }, y: { data: Float32Array.of(1) } });
});

test.each([
  ["requested", ["x", "y"]],
  ["not requested", ["y"]],
])("releases an output in the kernels' memory if it is %s", async (_, outputs) => {
  const memory = new KernelMemory(1);
  const free = memory.bytesFree;
  const run: CompiledStep["run"] = ({ table }) => {
    table[0] = TransientTensor.take(memory, [2]);
    table[1] = tensor("float32", new Float32Array(2), [2]);
  };
  const compiled: CompiledEntry = {
    entry: { inputs: [], outputs: [x, { ...x, name: "y" }], steps: [], caches: [] },
    values: 2,
    sizes: new InputSizes([]),
    outputs: [0, 1],
    steps: [{ step: { run }, drop: [] }],
    cacheSteps: 1,
    outputSteps: new Map(),
    attention: undefined,
  };
  const request = { entry: "forward", inputs: {}, outputs, logits: "all" } as const;
  expect(Object.keys(await runRequest(compiled, undefined, request, context))).toEqual(outputs);
  expect(memory.bytesFree).toBe(free);
});
