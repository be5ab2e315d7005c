import "../../../../../test/support/optimized-kernels.js";
import { GraphBuilder, type Value } from "@ringrank/model";
import {
  buildPrograms,
  type Entry,
  makeFloatSegment,
  makeIntegerSegment,
  planGraph,
  type Segment,
} from "@ringrank/policy";
import { expect, it, vi } from "vitest";
import { compileEntry } from "../../compilation/compile-entry.js";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";
import { openPublicSession } from "../../sessions/public-session.js";
import type { StepTrace } from "../../step-trace.js";
import { byName, inOrder } from "../../tensors/in-order.js";
import { compileContext, runContext } from "../../testing/compile-context.js";
import { activations, prepareProduct } from "../../testing/product-case.js";
import { size, symbol } from "../../testing/tiny-program.js";
import { runEntry } from "../run-entry.js";

type Build = (g: GraphBuilder, ...inputs: Value[]) => Value;

/** A segment that only computes these, with as many inputs as the first one has. */
function segmentOf(...builds: readonly [Build, ...Build[]]): Segment {
  const g = new GraphBuilder();
  const inputs = Array.from({ length: builds[0].length - 1 }, (_, at) =>
    g.input(`x${at}`, "float32", ["rows", "columns"]),
  );
  for (const [at, build] of builds.entries())
    g.output(`z${at}`, build(g, ...inputs), "float32", ["rows", "columns"]);
  const graph = g.build();
  return buildPrograms(graph, planGraph(graph, { ranks: 1 }))[0]!.segments[0]!;
}

const silu: Build = (g, x, y) => g.mul(g.quickGelu(x!, 1), y!);
/** Applied to the gate, so that the gate is not an output of the entry. No kernel computes it. */
const absolute: Build = (g, x) => g.node("Abs", [x!]);

/** Those of products come first. */
const segmentsFor = (bits: 4 | 16 | 32): readonly Segment[] => [
  bits === 4 ? makeIntegerSegment("int8") : makeFloatSegment(),
  makeIntegerSegment("uint8"),
  segmentOf(silu),
  segmentOf(absolute),
  segmentOf(silu, (g, x, y) => g.add(x!, y!)),
];
const [gate, behind, gateAndSum] = [2, 3, 4];

interface Case {
  readonly rows: number;
  /** Elements of a row; default: 96. */
  readonly width?: number;
  /** Bits of a weight; default: 4. */
  readonly bits?: 4 | 16 | 32;
  /** Columns of each of the product's two outputs. */
  readonly columns: number;
  /** Which of `y0`, `y1` and `gated` are also outputs of the entry. */
  readonly given?: readonly string[];
  /** The origin of `y1`; default: a matrix in the same memory as that of `y0`. */
  readonly second?: "another memory" | "an input";
  /** Whether the gate's segment also outputs a sum. */
  readonly hasSum?: boolean;
  /** Free bytes in the kernels' memory; default: enough. */
  readonly free?: number;
}

/**
 * Computes |silu(y0) · y1| of two products.
 *
 * @returns outputs by name; whether the gate was computed with its products; bytes of the kernels' memory that were not
 * released; the trace; and the product's head start
 */
async function run({ rows, width = 96, bits = 4, columns, given = [], second, hasSum = false, free }: Case) {
  const kernels = new RankKernels(256, [kernelFiles.fused]);
  const others = new RankKernels(16, [kernelFiles.fused]);
  const byRows = vi.spyOn(kernels, "elementwiseRows");
  const matrix = { rows: columns, hasBias: true, kernels };
  const secondMatrix = { ...matrix, kernels: second === "another memory" ? others : kernels };
  const outputs = second === "an input" ? [[matrix]] : [[matrix], [secondMatrix]];
  const product = prepareProduct({ bits, width, outputs });
  const local = (name: string, of: number) => {
    return { name, type: "float32" as const, dims: [symbol("rows"), size(of)] };
  };
  const entry: Entry = {
    inputs: [local("x", width), ...(second === "an input" ? [local("y1", columns)] : [])],
    outputs: ["z", ...given, ...(hasSum ? ["sum"] : [])].map((name) => local(name, columns)),
    steps: [
      product.step,
      {
        kind: "run",
        segment: hasSum ? gateAndSum : gate,
        values: { inputs: ["y0", "y1"], outputs: hasSum ? ["gated", "sum"] : ["gated"] },
      },
      { kind: "run", segment: behind, values: { inputs: ["gated"], outputs: ["z"] } },
    ],
    caches: [],
  };
  const segments = segmentsFor(bits);
  const context = compileContext({
    segments,
    sessions: await Promise.all(
      segments.map(({ onnx }) => openPublicSession(onnx, { logSeverityLevel: 3, intraOpNumThreads: 1 })),
    ),
    keptWeights: product.weights,
    kernelsOf: (data) => [kernels, others].find(({ memory }) => memory.holds(data)),
    kernels,
  });
  const compiled = compileEntry("forward", entry, context);
  const { memory } = kernels;
  if (free !== undefined) memory.bytes(memory.bytesFree - free);
  const before = memory.bytesFree;
  const inputs = new Map([
    ["x", activations(rows, width)],
    ["y1", activations(rows, columns)],
  ]);
  const end = vi.fn();
  const { outputs: made } = await runEntry(compiled, inOrder(entry.inputs, inputs), {
    ...runContext(),
    trace: { begin: () => 0, end } as unknown as StepTrace,
  });
  const named = byName(entry.outputs, made);
  return {
    floats: (name: string) => named.get(name)!.data as Float32Array,
    isMadeAtOnce: byRows.mock.calls.length > 0,
    kept: before - memory.bytesFree,
    traced: end.mock.calls.map(([work]) => work),
    headStart: compiled.steps[0]!.step.headStart,
  };
}

/** The same, computed from the products that the entry outputs. */
async function expected(one: Case): Promise<Float32Array> {
  const { floats } = await run({ ...one, given: ["y0", "y1"] });
  const [x, y] = [floats("y0"), floats("y1")];
  return x.map((one, at) => Math.abs((one / (1 + Math.exp(-one))) * y[at]!));
}

/** The kernels' sigmoid has an error of up to 1.5e-7 of its value, the runtime's of up to 1.5e-7 of 1. */
const tolerance = { rtol: 2e-6, atol: 2e-6 };

it.each([17, 200])("computes a gate of %i rows together with its products", async (rows) => {
  const one = { rows, columns: 64 };
  const { floats, isMadeAtOnce } = await run(one);
  expect(isMadeAtOnce).toBe(true);
  expect(floats("z")).toBeAllclose(await expected(one), tolerance);
});

it("computes a gate together with its products if the entry also returns it", async () => {
  const { floats, isMadeAtOnce } = await run({ rows: 40, columns: 64, given: ["gated"] });
  expect(isMadeAtOnce).toBe(true);
  expect(floats("gated").map(Math.abs)).toEqual(floats("z"));
});

/** Rows of 1024 floats are laid out anew for the session. */
it.each([
  [16, 96],
  [16, 1024],
  [32, 96],
  [32, 1024],
] as const)(
  "computes a gate together with its products by matrices of %i bits and rows of %i",
  async (bits, width) => {
    const one = { rows: 120, width, bits, columns: 300 };
    const { floats, isMadeAtOnce } = await run(one);
    expect(isMadeAtOnce).toBe(true);
    expect(floats("z")).toBeAllclose(await expected(one), tolerance);
  },
);

it("in a trace, a gate that is computed with its products is part of their time", async () => {
  const { traced } = await run({ rows: 40, columns: 64 });
  expect(traced.filter((work) => work !== "session")).toEqual(["multiplying"]);
});

it("a rank that waits before a product with a gate prefetches its matrices", async () => {
  const { headStart } = await run({ rows: 1, columns: 64 });
  expect(headStart).toBeDefined();
});

it("releases the room for a gate if there is not enough to compute it", async () => {
  // More than a step keeps for its next run.
  const { kept } = await run({ rows: 200, columns: 192, free: 4 * 200 * 192 + 8192 });
  expect(kept).toBe(0);
});

it.each<[string, Case]>([
  ["of few rows", { rows: 3, columns: 64 }],
  ["of products of which one is an output of the entry", { rows: 40, columns: 64, given: ["y1"] }],
  ["of rows that do not fill whole vectors", { rows: 40, columns: 63 }],
  ["of a product and something else", { rows: 40, columns: 64, second: "an input" }],
  ["of products in two memories", { rows: 40, columns: 64, second: "another memory" }],
  ["of a segment with another output", { rows: 40, columns: 64, hasSum: true }],
  ["in a memory with room for nothing else", { rows: 40, columns: 64, free: 16_384 }],
])("computes a gate %s in a step of its own", async (_, one) => {
  const { floats, isMadeAtOnce } = await run(one);
  expect(isMadeAtOnce).toBe(false);
  expect(floats("z")).toBeAllclose(await expected(one), tolerance);
});
