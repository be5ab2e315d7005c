import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { buildGraph, openCheckpoint } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import * as ort from "onnxruntime-node";
import { beforeAll, expect, test, vi } from "vitest";
import { suiteDirectory } from "../support/temporary-directory.js";

// The last test measures, which has taken 47 of the usual 60 seconds on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const bench = fileURLToPath(new URL("../../bench/", import.meta.url));
/** Modules of the bench are plain JavaScript; their types are declared here. */
const load = async <Module>(path: string): Promise<Module> =>
  (await import(pathToFileURL(join(bench, path)).href)) as Module;

const config = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 320,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
};

const directory = suiteDirectory();
let checkpoint: string;
beforeAll(async () => {
  const { syntheticCheckpoint } = await load<{
    syntheticCheckpoint(config: object, cache: string): Promise<string>;
  }>("checkpoints/synthetic.mjs");
  checkpoint = await syntheticCheckpoint(config, directory);
});

/** A whole tensor of the checkpoint. */
function tensor(name: string): Float32Array {
  const weight = buildGraph(openCheckpoint(checkpoint)).graph.weights.get(name)!;
  using reader = new ShardReader();
  const selection = weight.dims.map((dim): [number, number][] => [[0, dim]]);
  return reader.read({ weight, selection, dims: weight.dims }) as Float32Array;
}

test("a synthetic checkpoint has every tensor of its architecture, drawn like a model's initial weights", () => {
  expect(buildGraph(openCheckpoint(checkpoint)).unused).toEqual([]);
  const drawn = tensor("lm_head.weight");
  const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
  const deviation = Math.sqrt(drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length);
  // 20 480 draws: the standard errors are 1.4e-4 and 1e-4.
  expect(Math.abs(mean)).toBeLessThan(6e-4);
  expect(Math.abs(deviation - 0.02)).toBeLessThan(5e-4);
  expect(new Set(tensor("model.norm.weight"))).toEqual(new Set([1]));
});

test("blocks of Q8_0 and Q4_0 equal those of the gguf package byte for byte", async () => {
  const { encodeBlocks } = await load<{ encodeBlocks(type: string, values: Float32Array): Uint8Array }>(
    "gguf/blocks.mjs",
  );
  const values = Float32Array.from(
    { length: 64 },
    (_, i) => ((((i * 37) % 64) - 31) / 16) * (i < 32 ? 0.5 : 3) + 0.013 * i,
  );
  values[3] = 0;
  // From gguf.quants.quantize (version 0.19) of the same values.
  expect(Buffer.from(encodeBlocks("Q8_0", values)).toString("hex")).toBe(
    "2721a014c100e35705b226d448f56a17c439e65a087c29d74bf86d1ac83ce95d0b7f" +
      "6b2a0ca732cd58f37e19b43fda65009b26c14ce7720da833ce59f47f1ab640db6601",
  );
  expect(Buffer.from(encodeBlocks("Q4_0", values)).toString("hex")).toBe(
    "1db1ae278c085ab3388d166bc34991277c045eba37ae157be259b0269d046ad248ae268c",
  );
});

test("a GGUF file names every tensor as llama.cpp does and permutes the rows of a rotated projection", async () => {
  const { writeGguf } = await load<{
    writeGguf(checkpoint: string, path: string, types: object): Promise<void>;
  }>("gguf/write-gguf.mjs");
  const path = join(directory, "model.gguf");
  await writeGguf(checkpoint, path, { matrices: "F32", head: "Q8_0" });
  const file = readFileSync(path);
  expect(file.subarray(0, 4).toString()).toBe("GGUF");
  expect(file.readUInt32LE(4)).toBe(3);
  // 9 tensors per layer, plus the embedding, the last norm and the head.
  expect(Number(file.readBigUInt64LE(8))).toBe(21);

  const name = Buffer.from("blk.1.attn_q.weight");
  const at = file.indexOf(name) + name.length;
  expect(file.readUInt32LE(at)).toBe(2);
  expect([file.readBigUInt64LE(at + 4), file.readBigUInt64LE(at + 12)]).toEqual([64n, 64n]);
  expect(file.readUInt32LE(at + 20)).toBe(0);
  const offset = Number(file.readBigUInt64LE(at + 24));
  // The head comes last: its blocks end the file, so tensor data begins before it by their size and its offset.
  const last = Buffer.from("output.weight");
  const lastAt = file.lastIndexOf(last) + last.length;
  const data = file.length - Number(file.readBigUInt64LE(lastAt + 24)) - (320 * 64 * 34) / 32;
  const rows = new Float32Array(file.buffer.slice(file.byteOffset + data + offset).slice(0, 64 * 64 * 4));
  const query = tensor("model.layers.1.self_attn.q_proj.weight");
  // Heads of 16 lanes: adjacent lanes there are lanes i and i + 8 here.
  const rowsHere = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];
  for (const [there, here] of rowsHere.entries()) {
    for (const head of [0, 3]) {
      const row = (16 * head + here) * 64;
      expect(rows.subarray((16 * head + there) * 64, (16 * head + there + 1) * 64)).toEqual(
        query.subarray(row, row + 64),
      );
    }
  }
});

test("the export for transformers.js computes what the graph computes, with the whole past as inputs and outputs", async () => {
  const { writeModels } = await load<{
    writeModels(
      checkpoint: string,
      precision: string,
      directory: string,
    ): Promise<{ session: string; transformersJs: string }>;
  }>("onnx/write-models.mjs");
  const written = await writeModels(checkpoint, "float32", join(directory, "onnx"));
  const model = await ort.InferenceSession.create(join(written.transformersJs, "onnx/model.onnx"));
  const names = Array.from({ length: 2 }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
  const integers = (values: number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const run = async (ids: number[], past: Record<string, ort.Tensor>) => {
    const before = past["past_key_values.0.key"]!.dims[2]!;
    const outputs = await model.run({
      ...past,
      input_ids: integers(ids),
      attention_mask: integers(Array<number>(before + ids.length).fill(1)),
      position_ids: integers(ids.map((_, at) => before + at)),
    });
    const present = names.map((name) => [`past_key_values.${name}`, outputs[`present.${name}`]!] as const);
    return { logits: outputs.logits!, past: Object.fromEntries(present) };
  };
  const empty = Object.fromEntries(
    names.map((name) => [`past_key_values.${name}`, new ort.Tensor("float32", [], [1, 2, 0, 16])]),
  );
  const ids = [17, 300, 42, 99, 256];
  const whole = await run(ids, empty);
  const first = await run(ids.slice(0, 3), empty);
  const second = await run(ids.slice(3), first.past);
  await model.release();
  expect(whole.logits.dims).toEqual([1, 1, 320]);
  expect(second.past["past_key_values.1.value"]!.dims).toEqual([1, 2, 5, 16]);

  const graph = await ort.InferenceSession.create(join(written.session, "model.onnx"));
  const outputs = await graph.run({
    input_ids: integers(ids),
    attention_mask: integers(ids.map(() => 1)),
    position_ids: integers(ids.map((_, at) => at)),
    logit_rows: new ort.Tensor("int64", BigInt64Array.of(4n), [1]),
    past_positions: new ort.Tensor("int64", [], [1, 0]),
    ...Object.fromEntries(
      names.map((name) => [`past.${name}`, new ort.Tensor("float32", [], [1, 2, 0, 16])]),
    ),
  });
  await graph.release();
  const expected = outputs.logits!.data as Float32Array;
  expect(whole.logits.data as Float32Array).toBeAllclose(expected, { rtol: 0, atol: 0 });
  // Sums over the past and the new rows are computed in another order.
  expect(second.logits.data as Float32Array).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
});

test.each([1, 2, 4, 8])(
  "a kernel that measures bandwidth with %i streams reads every byte",
  async (streams) => {
    const { readableMemory } = await load<{
      readableMemory(bytes: number): {
        bytes: Uint8Array<ArrayBuffer>;
        readBy(streams: number): { read(): number; bytes: number };
      };
    }>("measure/read-kernel.mjs");
    const memory = readableMemory(8 * 65536);
    const { read, bytes } = memory.readBy(streams);
    expect(bytes).toBeGreaterThan(0.8 * memory.bytes.length);
    expect(read()).toBe(0);
    const words = new Uint32Array(memory.bytes.buffer);
    // The first vector, one in the middle and the last of each stream. The result shows the first 4 of every 16 bytes.
    const vectors = Array.from({ length: streams }, (_, stream) =>
      [0, 1001, bytes / streams / 16 - 1].map((vector) => (stream * bytes) / streams / 16 + vector),
    ).flat();
    for (const [place, vector] of vectors.entries()) words[4 * vector] = 1 << place;
    expect(read() >>> 0).toBe(2 ** vectors.length - 1);
  },
);

test("weight traffic is judged by the bandwidth measured in the same turns", async () => {
  const { trafficShare } = await load<{
    trafficShare(cell: object, context: number): (measurements: object[]) => { value: number };
  }>("report/outcomes.mjs");
  const cell = { shape: "fixed", precision: "int4" };
  const measurements = [
    { row: "read bandwidth", unit: "GB/s", median: 50, turns: [50] },
    { row: "weights read per token", ...cell, unit: "bytes", median: 1e9, turns: [1e9] },
    { row: "decode", context: 128, ...cell, label: "2 × 1", unit: "ms", median: 100, turns: [50, 100, 200] },
    {
      row: "read bandwidth",
      of: "decode",
      context: 128,
      ...cell,
      unit: "GB/s",
      median: 20,
      turns: [40, 20, 10],
    },
  ];
  const { value } = trafficShare({ ...cell, label: "2 × 1" }, 128)(measurements);
  expect(value).toBeCloseTo(0.5);
});

test("a requested target that was not measured says why", async () => {
  const { judge } = await load<{ judge(measurements: object[], options: object): object[] }>(
    "report/targets.mjs",
  );
  const cell = { shape: "fixed", precision: "float32" };
  const measurements = [
    { row: "load", load: "first", ...cell, label: "session × 2", failed: "out of memory" },
    { row: "decode", context: 128, ...cell, label: "2 × 1", unit: "ms", median: 4, turns: [4] },
  ];
  const options = {
    ...{ shapes: ["fixed"], precisions: ["float32"], parts: ["models"], contexts: [128], prompt: 512 },
    ...{ ranks: [2], mainRanks: 2, threads: 2, peers: false },
  };
  expect(judge(measurements, options)).toEqual([
    {
      name: "decode at 128, against one session",
      ...cell,
      target: { atLeast: 0.95 },
      why: "session × 2, decode, 128: out of memory",
    },
    {
      name: "prefill, against one session",
      ...cell,
      target: { atLeast: 1.15 },
      why: "session × 2, prefill: out of memory",
    },
  ]);
});

test("the cost of the cache per step is read from a trace: that of the slowest rank, by the length of the preceding prompt", async () => {
  const { cacheWork } = await load<{ cacheWork(path: string): Map<number, number[]> }>(
    "measure/cache-work.mjs",
  );
  const step = (tid: number, tokens: number, attention_us: number) =>
    JSON.stringify({ tid, cat: "step", name: "step", args: { tokens, attention_us, cache_us: 100 } });
  const ofRank = (rank: number, extra: number) => [
    ...[step(rank, 128, 9000), step(rank, 1, 1000 + extra), step(rank, 1, 2000 - extra)],
    ...[step(rank, 256, 9000), step(rank, 44, 9000), step(rank, 1, 3000)],
  ];
  const path = join(directory, "trace.json");
  writeFileSync(path, `[\n${[...ofRank(1, 500), ...ofRank(0, 0)].join(",\n")},\n`);
  expect([...cacheWork(path)]).toEqual([
    [128, [1.6, 2.1]],
    [300, [3.1]],
  ]);
});

test("memory in free blocks below 2 MB counts as scattered", async () => {
  const { scatteredBytes } = await load<{ scatteredBytes(text: string): number }>("measure/free-blocks.mjs");
  const zones = [
    "Node 0, zone    DMA32      1      0      0      0      0      0      0      0      2      9    728 ",
    "Node 0, zone   Normal      3      1      0      0      0      0      0      0      0      7   2427 ",
  ];
  // Counts of blocks of 1, 2, 4, … pages of 4096 bytes; a block of 512 pages is 2 MB.
  expect(scatteredBytes(`${zones.join("\n")}\n`)).toBe((1 + 2 * 256 + 3 + 1 * 2) * 4096);
});

test("npm run bench measures Ringrank next to one session and says what it could not measure", async () => {
  const json = join(directory, "results.json");
  const args = ["--quick", "--shape", "fixed", "--precision", "int4", "--ranks", "1,2"];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[join(bench, "main.mjs"), ...args, "--only", "models", "--no-peers"],
    ...["--json", json, "--cache", directory],
  ]);
  const { schema, machine, measurements, targets } = JSON.parse(readFileSync(json, "utf8"));
  expect(schema).toBe("ringrank-bench-1");
  expect(machine).toMatchObject({ node: process.version, cores: expect.any(Number) });
  expect(measurements.filter((one: { failed?: string }) => one.failed !== undefined)).toEqual([]);
  for (const label of ["1 × 1", "2 × 1"]) {
    expect(measurements).toContainEqual(
      expect.objectContaining({
        row: "decode",
        context: 128,
        shape: "fixed",
        precision: "int4",
        label,
        unit: "ms",
      }),
    );
  }
  for (const load of ["first", "second"]) {
    expect(measurements).toContainEqual(
      expect.objectContaining({ row: "load", load, label: "2 × 1", unit: "ms" }),
    );
  }
  const decode = measurements.find((one: { row: string }) => one.row === "decode");
  expect(decode.turns).toHaveLength(decode.samples);
  expect(decode.low).toBeLessThanOrEqual(decode.median);
  expect(targets.map(({ name }: { name: string }) => name)).toEqual([
    "decode at 128, against one session",
    "prefill, against one session",
  ]);
  expect(stdout).toContain("decode at 128, ms");
});
