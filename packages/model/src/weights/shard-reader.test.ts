import { existsSync, readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import type { DataType, TensorData, Weight } from "../graph/graph.js";
import { bytesOf, bytesPerElement } from "./element-types.js";
import { readStatistics } from "./read-at.js";
import { type Interval, type Selection, selectedDims } from "./runs.js";
import { ShardReader } from "./shard-reader.js";
import { tileElements } from "./workspace.js";

/**
 * A file of `prefix` bytes and then 0, 1, 2, … as elements of `storedAs`. The weight is float32 if that is a 16-bit
 * float.
 */
function countingWeight(dims: readonly number[], storedAs: DataType, prefix = 0): Weight {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const element = bytesPerElement[storedAs];
  const bytes = Buffer.alloc(prefix + count * element);
  for (let i = 0; i < count; i++) {
    const at = prefix + i * element;
    if (storedAs === "bfloat16")
      bytes.writeUInt16LE(new Uint32Array(Float32Array.of(i).buffer)[0]! >>> 16, at);
    else if (storedAs === "float32") bytes.writeFloatLE(i, at);
    else if (storedAs === "int64") bytes.writeBigInt64LE(BigInt(i), at);
    else if (storedAs === "int32") bytes.writeInt32LE(i, at);
    else bytes.writeUInt8(i % 251, at);
  }
  const file = join(temporaryDirectory(), "weights.bin");
  writeFileSync(file, bytes);
  const type = storedAs === "bfloat16" ? "float32" : storedAs;
  return { type, dims, source: { kind: "file", file, offset: prefix, storedAs } };
}

function shard(weight: Weight, selection: Selection) {
  return { weight, selection, dims: selectedDims(selection) };
}

const whole = (weight: Weight): Selection => weight.dims.map((dim): Interval[] => [[0, dim]]);

/** What `work` reads, by the reader's own counters. */
function counted(work: () => void): { bytes: number; calls: number } {
  const before = readStatistics();
  work();
  const after = readStatistics();
  return { bytes: after.bytes - before.bytes, calls: after.calls - before.calls };
}

test.each<DataType>(["float32", "bfloat16", "int64", "int32", "uint8", "bool"])(
  "reads the elements of any selection of a %s tensor, at any offset",
  (storedAs) => {
    // Below 256, so that bfloat16 represents each exactly.
    const dims = [3, 5, 16];
    const weight = countingWeight(dims, storedAs, 13);
    using reader = new ShardReader();
    const all = reader.read(shard(weight, whole(weight)));
    const axis = (dim: number) =>
      fc
        .subarray(Array.from({ length: dim }, (_, i) => i))
        .map((chosen) => chosen.map((i): Interval => [i, i + 1]));
    fc.assert(
      fc.property(fc.tuple(axis(3), axis(5), axis(16)), (selection) => {
        const expected = selection[0].flatMap(([i]) =>
          selection[1].flatMap(([j]) => selection[2].map(([k]) => all[(i * 5 + j) * 16 + k])),
        );
        expect([...reader.read(shard(weight, selection))]).toEqual(expected);
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(Number(all[17])).toBe(17);
  },
);

test("reads a tensor much larger than the scratch buffer", () => {
  const weight = countingWeight([251, 97], "uint8");
  const halves = countingWeight([1024, 5], "bfloat16");
  // Not a multiple of 2 bytes.
  using small = new ShardReader({ scratchBytes: 4097 });
  using large = new ShardReader();
  const columns: Selection = [
    [[0, 251]],
    [
      [3, 40],
      [41, 96],
    ],
  ];
  expect(small.read(shard(weight, columns))).toEqual(large.read(shard(weight, columns)));
  expect(small.read(shard(halves, whole(halves)))).toEqual(large.read(shard(halves, whole(halves))));
});

test("widens 16-bit floats exactly, also beyond the first tile", () => {
  const elements = tileElements + 3;
  const weight = countingWeight([elements], "bfloat16");
  using reader = new ShardReader();
  const widened = reader.read(shard(weight, whole(weight)));
  // The upper half of a number, which bfloat16 keeps.
  const kept = new Uint32Array(Float32Array.from({ length: elements }, (_, at) => at).buffer).map(
    (bits) => bits & 0xffff0000,
  );
  expect(bytesOf(widened)).toEqual(bytesOf(new Float32Array(kept.buffer)));
});

test.runIf(existsSync("/proc/self/fd"))(
  "opens a file once for all of its weights, and closes it with the reader",
  () => {
    const weight = countingWeight([1000], "uint8");
    const open = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        const link = `/proc/self/fd/${fd}`;
        // The handle for listing the directory is already closed.
        return existsSync(link) && weight.source.kind === "file" && readlinkSync(link) === weight.source.file;
      }).length;
    {
      using reader = new ShardReader();
      for (let at = 0; at < 3; at++) reader.read(shard(weight, [[[at, at + 10]]]));
      expect(open()).toBe(1);
    }
    expect(open()).toBe(0);
  },
);

test("copies slices of inline weights to new memory", () => {
  const data = Float32Array.from({ length: 12 }, (_, i) => i);
  const weight: Weight = { type: "float32", dims: [3, 4], source: { kind: "inline", data } };
  using reader = new ShardReader();
  const part = reader.read(shard(weight, [[[1, 3]], [[2, 4]]]));
  expect([...part]).toEqual([6, 7, 10, 11]);
  part[0] = 99;
  expect(data[6]).toBe(6);
});

test("refuses a weight planned from config.json alone", () => {
  using reader = new ShardReader();
  const weight: Weight = { type: "float32", dims: [2], source: { kind: "absent" } };
  expectCode("RR_MISSING_FILE", () => reader.read(shard(weight, [[[0, 2]]])));
});

test("reads at most 1.25 times the bytes kept if runs have 4 KiB", () => {
  // A rank keeps 1024 of 1056 floats per row: after a run of 4096 bytes, there is a gap of 128.
  const weight = countingWeight([64, 1056], "float32");
  using reader = new ShardReader();
  const { bytes } = counted(() => reader.read(shard(weight, [[[0, 64]], [[0, 1024]]])));
  expect(bytes).toBeGreaterThanOrEqual(64 * 4096);
  expect(bytes).toBeLessThanOrEqual(1.25 * 64 * 4096);
});

test("reads half of every row, in runs of 4 KiB with gaps of 4 KiB, and nothing else", () => {
  const weight = countingWeight([32, 2048], "float32");
  using reader = new ShardReader();
  const { bytes } = counted(() => reader.read(shard(weight, [[[0, 32]], [[1024, 2048]]])));
  expect(bytes).toBe(32 * 4096);
});

test("reads ten thousand tiny runs in a few system calls", () => {
  const weight = countingWeight([10_000, 8], "bfloat16");
  using reader = new ShardReader();
  const { calls } = counted(() => reader.read(shard(weight, [[[0, 10_000]], [[2, 4]]])));
  expect(calls).toBeLessThanOrEqual(10);
});

test.runIf(existsSync("/proc/thread-self/io"))("counts the same bytes as the operating system", () => {
  const readByThread = () => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/thread-self/io", "utf8"))![1]);
  const weight = countingWeight([500, 300], "bfloat16", 5);
  using reader = new ShardReader();
  // Looking is also a read, of a length that depends on the number of digits.
  const first = readByThread();
  const cost = readByThread() - first;
  const before = readByThread();
  const { bytes } = counted(() => {
    reader.read(shard(weight, whole(weight)));
    reader.read(shard(weight, [[[0, 500]], [[7, 20]]]));
    reader.read(shard(weight, [[[3, 490]], [[0, 300]]]));
  });
  expect(Math.abs(readByThread() - before - cost - bytes)).toBeLessThanOrEqual(16);
});

test("refuses a file that ends before the tensor does, before memory is allocated for the tensor", () => {
  const dims = [2 ** 20, 2 ** 20];
  const { source } = countingWeight([4], "uint8");
  using reader = new ShardReader();
  const error = expectCode("RR_FILE_FORMAT", () =>
    reader.read(
      shard(
        { type: "uint8", dims, source },
        dims.map((dim): Interval[] => [[0, dim]]),
      ),
    ),
  );
  expect(error.message).toContain("weights.bin");
});

test("refuses a tensor that starts before its file", () => {
  const { source } = countingWeight([4], "uint8");
  if (source.kind !== "file") throw new Error("expected a file");
  const before: Weight = { type: "uint8", dims: [4], source: { ...source, offset: -4 } };
  using reader = new ShardReader();
  expectCode("RR_FILE_FORMAT", () => reader.read(shard(before, whole(before))));
});

test("a file that is truncated while open is an error, not zeros", () => {
  const weight = countingWeight([1000], "uint8");
  using reader = new ShardReader();
  reader.read(shard(weight, [[[0, 10]]]));
  if (weight.source.kind === "file") truncateSync(weight.source.file, 500);
  expectCode("RR_FILE_FORMAT", () => reader.read(shard(weight, [[[0, 1000]]])));
});

test("names a missing file", () => {
  using reader = new ShardReader();
  const file = join(temporaryDirectory(), "gone.safetensors");
  const source = { kind: "file", file, offset: 0, storedAs: "uint8" } as const;
  const error = expectCode("RR_MISSING_FILE", () =>
    reader.read(shard({ type: "uint8", dims: [1], source }, [[[0, 1]]])),
  );
  expect(error.message).toContain("gone.safetensors");
});

test("refuses a stored type that cannot be converted to the weight's type", () => {
  const weight: Weight = { ...countingWeight([4], "int32"), type: "float32" };
  using reader = new ShardReader();
  expectCode("RR_TYPE", () => reader.read(shard(weight, [[[0, 4]]])));
});

test("refuses a shard with other dims than its selection's", () => {
  const weight = countingWeight([4], "uint8");
  using reader = new ShardReader();
  expectCode("RR_SHAPE", () => reader.read({ weight, selection: [[[0, 4]]], dims: [3] }));
});

test("needs no memory besides the result and the scratch buffer", () => {
  // 8 MB of bf16, of which half the columns are 8 MB of float32.
  const file = join(temporaryDirectory({ "weights.bin": new Uint8Array(2048 * 2048 * 2) }), "weights.bin");
  const source = { kind: "file", file, offset: 0, storedAs: "bfloat16" } as const;
  const weight: Weight = { type: "float32", dims: [2048, 2048], source };
  using reader = new ShardReader({ scratchBytes: 64 * 1024 });
  const before = process.memoryUsage().arrayBuffers;
  const result: TensorData = reader.read(shard(weight, [[[0, 2048]], [[0, 1024]]]));
  const grown = process.memoryUsage().arrayBuffers - before;
  expect(bytesOf(result).length).toBe(8 * 1024 * 1024);
  expect(grown).toBeLessThanOrEqual(8 * 1024 * 1024 + 64 * 1024);
});

test("reads a stack whose parts are anywhere, of any stored type", () => {
  const parts = (["float32", "bfloat16", "float32"] as const).map((storedAs, i) => {
    const { source } = countingWeight([4, 5], storedAs, 7 * i);
    if (source.kind !== "file") throw new TypeError("expected a file");
    return source;
  });
  const weight: Weight = { type: "float32", dims: [3, 4, 5], source: { kind: "stack", parts } };
  using reader = new ShardReader();
  const selection: Selection = [
    [
      [0, 1],
      [2, 3],
    ],
    [[1, 3]],
    [[4, 5]],
  ];
  expect([...reader.read(shard(weight, selection))]).toEqual([9, 14, 9, 14]);
  expect([...reader.read(shard(weight, whole(weight)))].slice(19, 22)).toEqual([19, 0, 1]);
});

test("refuses a stack with a truncated part, before memory is allocated for it", () => {
  const { source } = countingWeight([4, 5], "float32");
  if (source.kind !== "file") throw new TypeError("expected a file");
  const late = { ...source, offset: 4 };
  const weight: Weight = {
    type: "float32",
    dims: [2, 4, 5],
    source: { kind: "stack", parts: [source, late] },
  };
  using reader = new ShardReader();
  expectCode("RR_FILE_FORMAT", () => reader.read(shard(weight, whole(weight))));
});
