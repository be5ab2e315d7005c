import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRingrankError } from "@ringrank/errors";
import { type Branch, encodeOnnx, type Graph, GraphBuilder, openOnnx } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { planGraph } from "@ringrank/policy";
import { expect, test } from "vitest";
import { assembledExport } from "../support/onnx-exports.js";
import { suiteDirectory } from "../support/temporary-directory.js";

/** Fixed seeds, so that failures are reproducible; `npm run test:full` runs 10 000. */
const seeds = Number(process.env.RINGRANK_FUZZ_SEEDS ?? 250);

const outside = "what no model may read";
const directory = suiteDirectory({
  "model/w.data": new Uint8Array(4096),
  "secret.data": outside.repeat(1000),
});
const path = join(directory, "model/model.onnx");

test("the files that are corrupted below can be read and planned while intact", () => {
  for (const bytes of samples) {
    writeFileSync(path, bytes);
    readAll();
  }
});

test(`truncated files and files with flipped bits or odd numbers are read, or refused with a code: ${seeds} seeds`, () => {
  for (let seed = 0; seed < seeds; seed++) {
    const random = generator(seed);
    const sample = samples[random(samples.length)]!;
    writeFileSync(path, breakers[random(breakers.length)]!(sample, random));
    survives(seed);
  }
});

/** Opens, plans and reads everything. */
function readAll(): void {
  const graph = openOnnx(path);
  planGraph(graph, { ranks: 1 });
  using reader = new ShardReader();
  for (const weight of graph.weights.values()) {
    const { dims, source } = weight;
    if (source.kind === "file") expect(source.file.startsWith(join(directory, "model"))).toBe(true);
    const selection = dims.map((size) => (size === 0 ? [] : [[0, size] as const]));
    reader.read({ weight, selection, dims });
  }
}

/** It may fail only with a code, in little processor time, and without a buffer larger than such a file needs. */
function survives(seed: number): void {
  const before = process.memoryUsage().arrayBuffers;
  const start = process.cpuUsage();
  try {
    readAll();
  } catch (error) {
    if (!isRingrankError(error)) throw new Error(`seed ${seed}`, { cause: error });
    expect(error.message.length, `seed ${seed}`).toBeLessThan(4000);
  }
  expect(process.memoryUsage().arrayBuffers - before, `seed ${seed}`).toBeLessThan(64 * 1024 * 1024);
  // This detects a hang, not slowness: everything takes milliseconds.
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1e6, `seed ${seed}: seconds`).toBeLessThan(20);
}

type Random = (below: number) => number;

/** Marsaglia's xorshift32: `random(n)` is an integer below n. */
function generator(seed: number): Random {
  let state = (seed + 1) * 0x9e3779b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const breakers: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const broken = Uint8Array.from(bytes);
    for (let i = random(4); i >= 0; i--) {
      const at = random(broken.length);
      broken[at] = broken[at]! ^ (1 << random(8));
    }
    return broken;
  },
  // A run of 0xff is a varint of 2^63 or more: absurd lengths, sizes and offsets.
  (bytes, random) => {
    const at = random(bytes.length);
    return Uint8Array.from(bytes).fill(random(2) * 255, at, at + 1 + random(9));
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const part = bytes.subarray(at, at + random(200));
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  },
];

const samples: readonly Uint8Array[] = [
  everythingAtOnce(),
  new Uint8Array(readFileSync(assembledExport("torch/albert/torchscript.onnx"))),
];

/** External data, inline weights, constants, shape arithmetic and a branch in one small model. */
function everythingAtOnce(): Uint8Array {
  const g = new GraphBuilder();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  const table = g.weight("table", { type: "float32", dims: [10, 12], source: { kind: "absent" } });
  const w = g.numbers(new Float32Array(144).fill(0.1), [12, 12]);
  const heads = g.reshape(g.matmul(g.gather(table, ids, 0), w), [0, 0, 3, 4]);
  const attributes = { then_branch: branch("Relu"), else_branch: branch("Neg") };
  const chosen = g.node("If", [g.equal(g.shape(ids, 0, 1), g.shape(ids, 0, 1))], { attributes });
  g.output("captured", heads, "float32", []);
  g.output("logits", g.reshape(chosen, [0, 0, 12]), "float32", ["batch", "sequence", 12]);
  return encodeOnnx(g.build(), { locate: () => ({ location: "w.data", offset: 8 }) });
}

function branch(opType: string): { readonly kind: "graph"; readonly value: Branch } {
  const nodes: Graph["nodes"] = [
    { opType, domain: "", inputs: ["captured"], outputs: [opType], attributes: {} },
  ];
  const value = {
    opsets: {},
    inputs: [],
    outputs: [{ name: opType }],
    nodes,
    weights: new Map(),
    caches: [],
  };
  return { kind: "graph", value };
}
