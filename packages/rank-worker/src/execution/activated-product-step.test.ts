import { setFlagsFromString } from "node:v8";
import type { Communicator } from "@ringrank/collectives";
import { GraphBuilder, type Value } from "@ringrank/model";
import { buildPrograms, type Entry, makeIntegerSegment, planGraph, type Segment } from "@ringrank/policy";
import { relaxedSimdFlags } from "@ringrank/webassembly";
import { expect, it, vi } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import { openPublicSession } from "../sessions/public-session.js";
import { activations, prepareProduct } from "../testing/product-case.js";
import { size, symbol } from "../testing/tiny-program.js";
import { compileEntry } from "./compile-entry.js";
import { runEntry } from "./run-entry.js";

for (const flag of relaxedSimdFlags) setFlagsFromString(flag);

const width = 96;

type Build = (g: GraphBuilder, ...inputs: Value[]) => Value;

/** A segment that computes this alone, of as many values as it takes. */
function segmentOf(build: Build): Segment {
  const g = new GraphBuilder();
  const inputs = Array.from({ length: build.length - 1 }, (_, at) =>
    g.input(`x${at}`, "float32", ["rows", "columns"]),
  );
  g.output("z", build(g, ...inputs), "float32", ["rows", "columns"]);
  const graph = g.build();
  return buildPrograms(graph, planGraph(graph, { ranks: 1 }))[0]!.segments[0]!;
}

const silu: Build = (g, x, y) => g.mul(g.quickGelu(x!, 1), y!);
/** So that what is between is no output of the entry. No kernel computes it. */
const absolute: Build = (g, x) => g.node("Abs", [x!]);

const segments = [
  makeIntegerSegment("int8"),
  makeIntegerSegment("uint8"),
  segmentOf(silu),
  segmentOf(absolute),
];
const [gate, behind] = [2, 3];

interface Case {
  readonly rows: number;
  /** Of each of the product's two outputs. */
  readonly columns: number;
  /** What the entry gives besides: of `y0`, `y1` and `gated`. */
  readonly given?: readonly string[];
}

/**
 * |silu(y0) · y1| of two products.
 *
 * @returns outputs by name, and whether the gate was made with its products
 */
async function run({ rows, columns, given = [] }: Case) {
  const kernels = new RankKernels(256, [kernelFiles.fused]);
  const byRows = vi.spyOn(kernels, "elementwiseRows");
  const matrix = { rows: columns, hasBias: true, kernels };
  const product = prepareProduct({ bits: 4, width, outputs: [[matrix], [matrix]] });
  const local = (name: string, of: number) => {
    return { name, type: "float32" as const, dims: [symbol("rows"), size(of)] };
  };
  const entry: Entry = {
    inputs: [local("x", width)],
    outputs: ["z", ...given].map((name) => local(name, columns)),
    steps: [
      product.step,
      { kind: "run", segment: gate, values: { inputs: ["y0", "y1"], outputs: ["gated"] } },
      { kind: "run", segment: behind, values: { inputs: ["gated"], outputs: ["z"] } },
    ],
    caches: [],
  };
  const compiled = compileEntry("forward", entry, {
    segments,
    sessions: await Promise.all(
      segments.map(({ onnx }) => openPublicSession(onnx, { logSeverityLevel: 3, intraOpNumThreads: 1 })),
    ),
    keptWeights: product.weights,
    kernelsOf: (data) => (kernels.memory.holds(data) ? kernels : undefined),
    streamedScales: new StreamedScales(product.weights.values()),
    kernels,
    attention: undefined,
  });
  const { outputs } = await runEntry(compiled, new Map([["x", activations(rows, width)]]), {
    communicator: { progress() {} } as unknown as Communicator,
    gate: new NativeGate(new Lifecycle(1).buffer, 0),
  });
  const floats = (name: string) => outputs.get(name)!.data as Float32Array;
  return { floats, isMadeAtOnce: byRows.mock.calls.length > 0 };
}

/** The same, of the products that the entry gives. */
async function expected(one: Case): Promise<Float32Array> {
  const { floats } = await run({ ...one, given: ["y0", "y1"] });
  const [x, y] = [floats("y0"), floats("y1")];
  return x.map((one, at) => Math.abs((one / (1 + Math.exp(-one))) * y[at]!));
}

/** Sigmoid is right within 1.5e-7 of its value, or, by the runtime, of 1. */
const tolerance = { rtol: 2e-6, atol: 2e-6 };

it.each([17, 200])("of %i rows, a gate is made with its products", async (rows) => {
  const one = { rows, columns: 64 };
  const { floats, isMadeAtOnce } = await run(one);
  expect(isMadeAtOnce).toBe(true);
  expect(floats("z")).toBeAllclose(await expected(one), tolerance);
});

it.each<[string, Case]>([
  ["of few rows", { rows: 3, columns: 64 }],
  ["of products of which one outlives the run", { rows: 40, columns: 64, given: ["y1"] }],
  ["that outlives the run", { rows: 40, columns: 64, given: ["gated"] }],
  ["of rows that are no whole vectors", { rows: 40, columns: 63 }],
])("a gate %s is made by a step of its own", async (_, one) => {
  const { floats, isMadeAtOnce } = await run(one);
  expect(isMadeAtOnce).toBe(false);
  expect(floats("z")).toBeAllclose(await expected(one), tolerance);
});
