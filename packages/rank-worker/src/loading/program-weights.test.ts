import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Weight } from "@ringrank/model";
import { allocate, bytesOf, readStatistics } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { shard } from "../testing/tiny-program.js";
import type { Initializers } from "./initializers.js";
import { ProgramWeights } from "./program-weights.js";
import { pieceBytes } from "./write-weight.js";

const columns = 64;

/** Two matrices in one file, each as its values and its scales. */
function quantizedMatrices(rows: Readonly<Record<string, number>>): Record<string, Weight> {
  const file = join(temporaryDirectory(), "model.safetensors");
  const count = Object.values(rows).reduce((sum, one) => sum + one, 0);
  writeFileSync(
    file,
    new Float32Array(count * columns).map((_, i) => Math.sin(i * i)),
  );
  let offset = 0;
  const weights = Object.entries(rows).flatMap(([name, height]): [string, Weight][] => {
    const source = { kind: "file", file, offset, storedAs: "float32" } as const;
    offset += height * columns * 4;
    const matrix = { dims: [height, columns] as const, source, transposed: false };
    const part = (kind: "values" | "scales") => ({ kind: "quantized", part: kind, bits: 4, matrix }) as const;
    return [
      [`${name}.values`, { type: "uint8", dims: [height, 2, 16], source: part("values") }],
      [`${name}.scales`, { type: "float32", dims: [height, 2], source: part("scales") }],
    ];
  });
  return Object.fromEntries(weights);
}

const joined: Initializers = [
  ["a.values", "b.values"],
  ["a.scales", "b.scales"],
];

function programWeights(
  onBytes: (bytes: number) => void = () => {},
  rows: Readonly<Record<string, number>> = { a: 3, b: 5 },
): ProgramWeights {
  const weights = Object.entries(quantizedMatrices(rows));
  const program: RankProgram = {
    rank: 0,
    worldSize: 1,
    entries: {},
    segments: [],
    weights: Object.fromEntries(weights.map(([name, one]) => [name, shard(one, [])])),
    bytes: 0,
  };
  return new ProgramWeights(program, onBytes);
}

test("weights of one initializer are concatenated, in memory as in files", () => {
  using weights = programWeights();
  const expected = joined.map((names) => Buffer.concat(names.map((name) => bytesOf(weights.read(name)))));
  expect(weights.readInitializers(joined).map((bytes) => Buffer.from(bytes))).toEqual(expected);

  const folder = temporaryDirectory();
  const shown: Buffer[][] = [[], []];
  weights.writeInitializers(folder, joined, (bytes, file) => shown[file]!.push(Buffer.from(bytes)));
  expect(["0", "1"].map((name) => readFileSync(join(folder, name)))).toEqual(expected);
  expect(shown.map((pieces) => Buffer.concat(pieces))).toEqual(expected);
});

test("does not write to an existing file, which may be a link", () => {
  using weights = programWeights();
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "0"), "");
  expect(() => weights.writeInitializers(folder, joined)).toThrow("EEXIST");
  expect(readFileSync(join(folder, "0"))).toHaveLength(0);
});

test("reads a quantized matrix once, even if its values and scales go to two initializers", () => {
  using weights = programWeights();
  const before = readStatistics().bytes;
  weights.readInitializers(joined);
  expect(readStatistics().bytes - before).toBe((3 + 5) * columns * 4);
});

test("reads weights directly into existing memory, and a quantized matrix once for both parts", () => {
  using weights = programWeights();
  const expected = ["a.values", "a.scales"].map((name) => Buffer.from(bytesOf(weights.read(name))));
  const memory = new Uint8Array(256).fill(0xaa);
  const places = new Map([
    ["a.values", allocate("uint8", 3 * 32, memory.subarray(64))],
    ["a.scales", allocate("float32", 3 * 2, memory.subarray(192))],
  ]);
  const before = readStatistics().bytes;
  weights.readInto(places);
  expect(readStatistics().bytes - before).toBe(3 * columns * 4);
  expect([memory.subarray(64, 160), memory.subarray(192, 216)].map((bytes) => Buffer.from(bytes))).toEqual(
    expected,
  );
  expect([memory[63], memory[160], memory[191], memory[216]]).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
});

test("reading a matrix piece by piece gives the same as reading it whole", () => {
  // 32 bytes per row, so that the values are more than a piece.
  const rows = pieceBytes / 32 + 5;
  using weights = programWeights(() => {}, { tall: rows });
  const places = new Map([
    ["tall.values", allocate("uint8", rows * 32)],
    ["tall.scales", allocate("float32", rows * 2)],
  ]);
  weights.readInto(places);
  for (const [name, data] of places) {
    expect(Buffer.from(bytesOf(data)).equals(bytesOf(weights.read(name))), name).toBe(true);
  }
});

test("each weight of an initializer is counted separately, once it has been read", () => {
  const loaded: number[] = [];
  using weights = programWeights((bytes) => loaded.push(bytes));
  weights.readInitializers(joined);
  const [values, scales] = [32, 8];
  expect(loaded).toEqual([3 * values, 3 * (values + scales), 8 * values + 3 * scales, 8 * (values + scales)]);
  expect(weights.bytesInMemory).toBe(8 * (values + scales));
});
