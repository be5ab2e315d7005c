import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { safetensorsFile } from "../../../../test/support/safetensors.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { closeFile, openFile, readStatistics } from "../weights/read-at.js";
import { fileSource } from "./file-source.js";
import { readSafetensorsHeader } from "./safetensors.js";

function readHeader(bytes: Uint8Array) {
  const path = join(temporaryDirectory(), "x.safetensors");
  writeFileSync(path, bytes);
  const file = openFile(path);
  onTestFinished(() => closeFile(file));
  return readSafetensorsHeader(file);
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

test("locates tensors by the header's offsets, relative to the start of the file", () => {
  const bytes = safetensorsFile({
    __metadata__: { format: "pt" },
    b: entry("BF16", [2, 3], 4, 16),
    a: entry("F32", [], 0, 4),
    none: entry("I64", [0, 7], 16, 16),
  });
  const { tensors, expectedSize } = readHeader(bytes);
  expect([...tensors.keys()].sort()).toEqual(["a", "b", "none"]);
  expect(tensors.get("b")).toMatchObject({
    dtype: "BF16",
    dims: [2, 3],
    offset: bytes.length + 4,
    bytes: 12,
  });
  expect(tensors.get("a")?.dims).toEqual([]);
  expect(expectedSize).toBe(bytes.length + 16);
});

test("reads only the header, however large the payload is", () => {
  const before = readStatistics().bytes;
  const header = safetensorsFile({ a: entry("U8", [100_000], 0, 100_000) });
  readHeader(Buffer.concat([header, new Uint8Array(100_000)]));
  expect(readStatistics().bytes - before).toBe(header.length);
});

test("reads a header without a payload, which is enough to plan", () => {
  expect(readHeader(safetensorsFile({ a: entry("F32", [4], 0, 16) })).tensors.size).toBe(1);
});

test("reads a header padded with spaces", () => {
  expect(readHeader(safetensorsFile("{}          ")).tensors.size).toBe(0);
});

test("lists tensors of unsupported types, and refuses to use them", () => {
  const { tensors } = readHeader(
    safetensorsFile({
      a: entry("F8_E4M3", [3], 0, 3),
      b: entry("F4", [2, 3], 3, 6),
      c: entry("F64", [1], 6, 14),
      d: entry("I32", [1], 14, 18),
    }),
  );
  for (const name of ["a", "b", "c"]) {
    const error = expectCode("RR_TYPE", () => fileSource(name, tensors.get(name)!));
    expect(error.message).toContain(`"${name}"`);
  }
  expect(fileSource("d", tensors.get("d")!)).toMatchObject({ kind: "file", storedAs: "int32" });
});

describe("refuses a hostile header:", () => {
  const pair = (first: object, second: object) => ({ a: first, b: second });
  test.each<[string, string | object]>([
    ["overlapping tensors", pair(entry("U8", [4], 0, 4), entry("U8", [4], 2, 6))],
    ["the same bytes twice", pair(entry("U8", [4], 0, 4), entry("U8", [4], 0, 4))],
    ["a gap between tensors", pair(entry("U8", [4], 0, 4), entry("U8", [4], 5, 9))],
    ["a gap before the first", { a: entry("U8", [4], 4, 8) }],
    ["offsets too long for the shape", { a: entry("F32", [4], 0, 17) }],
    ["offsets too short for the shape", { a: entry("F32", [4], 0, 4) }],
    ["offsets that go backwards", { a: entry("U8", [4], 8, 4) }],
    ["a negative offset", { a: entry("U8", [4], -4, 0) }],
    ["a fractional offset", { a: entry("U8", [1], 0.5, 1.5) }],
    ["an offset that is a string", { a: entry("U8", [4], "0", "4") }],
    [
      "offsets beyond 2^53",
      '{"a":{"dtype":"U8","shape":[4],"data_offsets":[9007199254740993,9007199254740997]}}',
    ],
    ["three offsets", { a: { dtype: "U8", shape: [4], data_offsets: [0, 4, 8] } }],
    ["no offsets", { a: { dtype: "U8", shape: [4] } }],
    ["a shape that overflows", { a: entry("F32", [2 ** 31, 2 ** 31, 2 ** 31], 0, 4) }],
    ["a shape that overflows before its zero", { a: entry("F32", [2 ** 52, 2 ** 52, 0], 0, 0) }],
    ["an infinite dimension", '{"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,4]}}'],
    ["a negative dimension", { a: entry("U8", [-2, -2], 0, 4) }],
    ["a fractional dimension", { a: entry("U8", [2.5], 0, 2) }],
    ["a dimension that is null", { a: entry("U8", [null], 0, 0) }],
    ["a hundred axes", { a: entry("U8", Array(100).fill(1), 0, 1) }],
    ["no shape", { a: { dtype: "U8", data_offsets: [0, 4] } }],
    ["a size that ends within a byte", { a: entry("F4", [3], 0, 1) }],
    ["an unknown dtype", { a: entry("F128", [1], 0, 16) }],
    ["a dtype that is an inherited property of objects", { a: entry("constructor", [1], 0, 1) }],
    ["a tensor that is a number", { a: 1 }],
    ["a tensor that is a list", { a: [] }],
    [
      "a duplicate name",
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    ],
    ["metadata that are not strings", { __metadata__: { a: 1 } }],
    ["metadata that are a list", { __metadata__: ["a"] }],
    ["a list", "[]"],
    ["nothing", ""],
    ["half of an object", '{"a":'],
  ])("%s", (_, header) => {
    const error = expectCode("RR_FILE_FORMAT", () => readHeader(safetensorsFile(header, new Uint8Array(16))));
    expect(error.message).toContain("x.safetensors");
  });

  test.each([0n, 1n, 100_000_001n, 2n ** 53n, 2n ** 64n - 1n])("a length of %s bytes", (length) => {
    const bytes = Buffer.alloc(length === 0n ? 20 : 8);
    bytes.writeBigUInt64LE(length);
    expectCode("RR_FILE_FORMAT", () => readHeader(bytes));
  });

  test.each([0, 1, 7])("a file of %i bytes", (size) => {
    expectCode("RR_FILE_FORMAT", () => readHeader(new Uint8Array(size)));
  });
});
