import { truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf } from "@ringrank/model/weights";
import type { Segment } from "@ringrank/policy";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { shard, weight } from "../testing/tiny-program.js";
import { RowFiles } from "./row-files.js";

const shards = { table: shard(weight(1, [4, 2]), []), other: shard(weight(2, [3]), []) };
const shardOf = (name: string) => shards[name as keyof typeof shards];

/** A segment that looks rows of `table` up, and uses another weight in another way. */
const segment: Segment = {
  onnx: new Uint8Array(),
  inputs: ["ids"],
  outputs: ["rows"],
  initializers: [["other"], ["table"]],
  sharedWeights: [],
  interpretable: {
    constants: [],
    instructions: [{ operator: "Gather", operands: [0], table: { values: "table" } }],
    outputs: [1],
  },
};

/** A folder with the segment's initializers; only that of the table is looked at. */
function folderWith(table: Float32Array) {
  const folder = temporaryDirectory();
  const path = join(folder, "1");
  writeFileSync(path, bytesOf(table));
  return { folder, path };
}

function rowOf(files: RowFiles, row: number): number[] {
  const into = new Float32Array(3);
  files.of("table")!.copy(row, into, 1);
  return [...into];
}

test("rows are read from a file that has lost its name, as most do once a model is loaded", () => {
  const { folder, path } = folderWith(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  using files = new RowFiles();
  files.open(segment, { folder }, shardOf);
  unlinkSync(path);
  expect(files.of("table")!.dims).toEqual([4, 2]);
  expect(rowOf(files, 3)).toEqual([0, 7, 8]);
  expect(rowOf(files, 0)).toEqual([0, 1, 2]);
});

test("only weights of tables are opened", () => {
  const { folder } = folderWith(new Float32Array(8));
  using files = new RowFiles();
  files.open(segment, { folder }, shardOf);
  expect(files.of("other")).toBeUndefined();
});

test("a segment that is loaded again, from elsewhere, has its rows there", () => {
  using files = new RowFiles();
  for (const number of [1, 2]) {
    files.open(segment, { folder: folderWith(new Float32Array(8).fill(number)).folder }, shardOf);
    expect(rowOf(files, 2)).toEqual([0, number, number]);
  }
  files.open(segment, { externalData: [] }, shardOf);
  expect(files.of("table")).toBeUndefined();
});

test("a file that somebody has shortened is an error that says what to do", () => {
  const { folder, path } = folderWith(new Float32Array(8));
  using files = new RowFiles();
  files.open(segment, { folder }, shardOf);
  truncateSync(path, 28);
  expect(rowOf(files, 2)).toEqual([0, 0, 0]);
  expect(() => rowOf(files, 3)).toThrow(
    expect.objectContaining({
      code: "RR_FILE_FORMAT",
      message: expect.stringContaining("load the model again"),
    }),
  );
});

test("files are closed with the model", () => {
  const { folder } = folderWith(new Float32Array(8));
  const files = new RowFiles();
  files.open(segment, { folder }, shardOf);
  const rows = files.of("table")!;
  files[Symbol.dispose]();
  expect(files.of("table")).toBeUndefined();
  expect(() => rows.copy(0, new Float32Array(2), 0)).toThrow(expect.objectContaining({ code: "EBADF" }));
});
