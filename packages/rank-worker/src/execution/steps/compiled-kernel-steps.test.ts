import "../../../../../test/support/optimized-kernels.js";
import { type Entry, makeFloatSegment, makeIntegerSegment } from "@ringrank/policy";
import { describe, expect, it, vi } from "vitest";
import { compileEntry } from "../../compilation/compile-entry.js";
import { kernelCall } from "../../kernels/kernel-call.js";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";
import { TransientTensor } from "../../kernels/transient-tensor.js";
import type { HeadStart } from "../../products/head-start.js";
import type { OrtSession } from "../../sessions/ort-binding.js";
import type { StepTrace } from "../../step-trace.js";
import { type Tensor, tensor } from "../../tensors/tensor.js";
import { compileContext, runContext } from "../../testing/compile-context.js";
import { activations, prepareProduct } from "../../testing/product-case.js";
import { size, symbol } from "../../testing/tiny-program.js";
import type { PlacedStep } from "../compiled-entry.js";
import { runEntry } from "../run-entry.js";
import { CompiledKernelSteps } from "./compiled-kernel-steps.js";
import type { RunState } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** Indices in the table. */
const [x, doubled, quadrupled] = [0, 1, 2];

/** Floats of every tensor: enough for whole vectors. */
const count = 8;

function floatsIn(kernels: RankKernels, ...values: readonly number[]): Tensor {
  const floats = kernels.memory.floats(count)!;
  floats.set(values);
  return tensor("float32", floats, [count]);
}

/** Adds a value to itself. */
function doubling(kernels: RankKernels, from: number, to: number) {
  const result = floatsIn(kernels);
  const addressOf = (one: Tensor) => (one.data as Float32Array).byteOffset;
  let call: ReturnType<typeof kernelCall> | undefined;
  const run = vi.fn(({ table }: RunState) => {
    const at = addressOf(table[from]!);
    call = kernelCall("add", at, at, addressOf(result), count);
    kernels.make(call);
    table[to] = result;
  });
  return { reads: [from], writes: [to], run, lastCalls: () => call && [call] } satisfies KernelStep;
}

/** Doubles a value twice, and drops all but the result. */
function open(kernels = new RankKernels(16)) {
  const [first, second] = [doubling(kernels, x, doubled), doubling(kernels, doubled, quadrupled)];
  const placed: PlacedStep[] = [
    { step: first, drop: [x] },
    { step: second, drop: [doubled] },
  ];
  const steps = new CompiledKernelSteps(placed, kernels);
  const run = async (value: Tensor, trace?: StepTrace): Promise<(Tensor | undefined)[]> => {
    const table = [value, undefined, undefined];
    await steps.run({ ...runContext(), table, trace, bindings: new Map(), expertsRun: 0 });
    return table;
  };
  const result = async (value: Tensor) => Array.from((await run(value))[quadrupled]!.data as Float32Array);
  return { kernels, first, second, steps, run, result, runs: () => first.run.mock.calls.length };
}

describe("steps that consist of kernel calls", () => {
  it("run twice on the same tensors; from then on, their calls are repeated", async () => {
    const { kernels, result, runs } = open();
    const value = floatsIn(kernels, 1, 2, 3);
    const ran: number[] = [];
    for (let token = 1; token <= 5; token++) {
      (value.data as Float32Array)[0] = token;
      expect((await result(value)).slice(0, 3)).toEqual([4 * token, 8, 12]);
      ran.push(runs());
    }
    expect(ran).toEqual([1, 2, 2, 2, 2]);
  });

  it("leave the same values in the table, whether they run or are repeated", async () => {
    const { kernels, run, runs } = open();
    const value = floatsIn(kernels, 1);
    const [first, , third] = [await run(value), await run(value), await run(value)];
    expect(runs()).toBe(2);
    expect(first).toEqual([undefined, undefined, first[quadrupled]]);
    expect(third[quadrupled]).toBe(first[quadrupled]);
    expect(third).toEqual(first);
  });

  it("run again on other tensors, and are then repeated for those", async () => {
    const { kernels, result, runs } = open();
    const [one, other] = [floatsIn(kernels, 1), floatsIn(kernels, 10)];
    for (let i = 0; i < 3; i++) await result(one);
    expect((await result(other))[0]).toBe(40);
    expect(runs()).toBe(3);
    for (let i = 0; i < 3; i++) expect((await result(other))[0]).toBe(40);
    expect(runs()).toBe(4);
    expect((await result(one))[0]).toBe(4);
    expect(runs()).toBe(5);
  });

  it("run again after the kernels' workspace has moved, which calls may use", async () => {
    const { kernels, result, runs } = open();
    const value = floatsIn(kernels, 1);
    for (let i = 0; i < 3; i++) await result(value);
    kernels.scratch(1000);
    expect((await result(value))[0]).toBe(4);
    expect(runs()).toBe(3);
  });

  it("run one by one in a trace, which has the time of each, and are not repeated right after it", async () => {
    const { kernels, run, runs } = open();
    const value = floatsIn(kernels, 1);
    const trace = {} as StepTrace;
    for (let i = 0; i < 4; i++) await run(value, trace);
    expect(runs()).toBe(4);
    await run(value);
    expect(runs()).toBe(5);
  });

  it("run each time if one of them did anything else than kernel calls", async () => {
    const { kernels, second, result, runs } = open();
    vi.spyOn(second, "lastCalls").mockReturnValue(undefined);
    const value = floatsIn(kernels, 1);
    for (let i = 0; i < 4; i++) expect((await result(value))[0]).toBe(4);
    expect(runs()).toBe(4);
  });

  it("run each time if there is no room for the list of their calls", async () => {
    const { kernels, result, runs } = open();
    const value = floatsIn(kernels, 1);
    kernels.memory.bytes(kernels.memory.bytesFree);
    for (let i = 0; i < 4; i++) expect((await result(value))[0]).toBe(4);
    expect(runs()).toBe(4);
  });

  it("keep one list at a time", async () => {
    const { kernels, result } = open();
    const values = [floatsIn(kernels, 1), floatsIn(kernels, 2)];
    for (let i = 0; i < 3; i++) await result(values[0]!);
    const free = kernels.memory.bytesFree;
    for (const value of [...values, ...values]) for (let i = 0; i < 3; i++) await result(value);
    expect(kernels.memory.bytesFree).toBe(free);
  });

  it("run each time on values that only live for one run, and release them", async () => {
    const { kernels, result, runs } = open();
    const free = kernels.memory.bytesFree;
    for (let i = 0; i < 4; i++) {
      const value = TransientTensor.take(kernels.memory, [count])!;
      (value.data as Float32Array).fill(i);
      expect((await result(value))[0]).toBe(4 * i);
    }
    expect(runs()).toBe(4);
    expect(kernels.memory.bytesFree).toBe(free);
  });

  it("start anew with what was prefetched for them", async () => {
    const kernels = new RankKernels(16);
    const reset = vi.fn();
    const headStart = { reset } as unknown as HeadStart;
    const step = { ...doubling(kernels, x, doubled), headStart };
    const steps = new CompiledKernelSteps([{ step, drop: [] }], kernels);
    expect(steps.headStart).toBe(headStart);
    const value = floatsIn(kernels, 1);
    // A step that runs does this itself.
    for (let i = 0; i < 3; i++) {
      await steps.run({ ...runContext(), table: [value], bindings: new Map(), expertsRun: 0 });
    }
    expect(reset).toHaveBeenCalledTimes(1);
  });
});

/** Kernels do all the work on few rows. */
const unusedSession: OrtSession = { run: () => expect.fail("no session is needed"), release() {} };

describe.each([4, 8, 16, 32] as const)("a norm after an addition, and products of it by %i bits", (bits) => {
  it.each([1, 3])(
    "have the same bits for %i rows, whether they run one by one or are repeated",
    async (rows) => {
      const width = 64;
      const kernels = new RankKernels(64, [kernelFiles.fused]);
      const makeCalls = vi.spyOn(kernels, "makeCalls");
      const matrices = [40, 24].map((count) => [{ rows: count, hasBias: true, kernels }]);
      const product = prepareProduct({ bits, width, outputs: matrices });
      const local = (name: string, columns: number) => {
        return { name, type: "float32" as const, dims: [symbol("rows"), size(columns)] };
      };
      const entry: Entry = {
        inputs: [local("sum", width), local("before", width)],
        outputs: [local("y0", 40), local("y1", 24), local("sum", width)],
        steps: [
          {
            kind: "normalize",
            value: "sum",
            output: "x",
            scale: "scale",
            epsilon: 1e-3,
            centered: true,
            added: { rows: [], value: "before" },
          },
          product.step,
        ],
        caches: [],
      };
      const context = compileContext({
        segments:
          bits === 32 || bits === 16
            ? [makeFloatSegment()]
            : [makeIntegerSegment("int8"), makeIntegerSegment("uint8")],
        sessions: [unusedSession, unusedSession],
        keptWeights: new Map([...product.weights, ["scale", activations(1, width)]]),
        kernels,
      });
      const compiled = compileEntry("forward", entry, context);
      const inputs = [0, 1].map(() => tensor("float32", kernels.memory.floats(rows * width)!, [rows, width]));
      const run = async (token: number, trace?: StepTrace) => {
        for (const [at, { data }] of inputs.entries())
          for (let i = 0; i < rows * width; i++) (data as Float32Array)[i] = token * Math.sin(1.7 * i + at);
        const { outputs } = await runEntry(compiled, inputs, { ...runContext(), trace });
        return outputs.map((output) => (output!.data as Float32Array).slice());
      };
      await run(1);
      await run(2);
      expect(makeCalls).not.toHaveBeenCalled();
      const repeated = [await run(3), await run(4)];
      expect(makeCalls).toHaveBeenCalledTimes(2);
      const trace = { begin: () => 0, end() {} } as unknown as StepTrace;
      expect(repeated).toEqual([await run(3, trace), await run(4, trace)]);
      expect(makeCalls).toHaveBeenCalledTimes(2);
    },
  );
});
