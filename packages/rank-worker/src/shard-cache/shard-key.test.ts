import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RankProgram, Segment } from "@ringrank/policy";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { modelFile, program } from "../testing/cached-program.js";
import { shardKey } from "./shard-key.js";

/** The name of a blob. */
const blob = "e".repeat(40);

test("the key changes with the file's header, size and time, the selection, and the precision", () => {
  const file = modelFile();
  const before = shardKey(program(file));
  expect(shardKey(program(file))).toBe(before);
  const keys = [before, shardKey(program(file, { rank: 1 })), shardKey(program(file, { quantized: false }))];
  const time = new Date(2020, 1, 1);
  const rewrite = (bytes: Uint8Array): void => {
    writeFileSync(file, bytes);
    utimesSync(file, time, time);
    keys.push(shardKey(program(file)));
  };
  rewrite(new Uint8Array(256));
  rewrite(new Uint8Array(256).fill(1, 0, 1));
  rewrite(new Uint8Array(257).fill(1, 0, 1));
  expect(new Set(keys).size).toBe(keys.length);
});

/** A segment with these initializers, to which these weights are fed. */
function segment(initializers: readonly string[][], sharedWeights: readonly string[] = []): Segment {
  return { onnx: new Uint8Array(), inputs: [], outputs: [], initializers, sharedWeights };
}

test("the key changes with the number of ranks, and with each weight's place in the entry", () => {
  const one = program(modelFile());
  const both = { ...one, weights: { ...one.weights, v: one.weights.w! } };
  const keys = [
    both,
    { ...both, worldSize: 3 },
    { ...both, segments: [segment([["v"], ["w"]])] },
    { ...both, segments: [segment([["w"], ["v"]])] },
    { ...both, segments: [segment([["v", "w"]])] },
    { ...both, segments: [segment([["v"]]), segment([["w"]])] },
    { ...both, segments: [segment([], ["v", "w"])] },
    { ...both, segments: [segment([], ["w", "v"])] },
  ].map((different) => shardKey(different));
  expect(new Set(keys).size).toBe(keys.length);
});

test("the key changes with every file of a stack, such as of a model whose experts are in several", () => {
  const files = [modelFile(), modelFile()];
  const parts = files.map((file) => ({ kind: "file", file, offset: 0, storedAs: "float32" }) as const);
  const source = { kind: "stack", parts } as const;
  const stacked: RankProgram = {
    ...program(files[0]!),
    weights: {
      w: {
        weight: { type: "float32", dims: [2, 4, 4], source },
        selection: [[[0, 2]], [[0, 4]], [[0, 4]]],
        dims: [2, 4, 4],
      },
    },
  };
  const before = shardKey(stacked);
  writeFileSync(files[1]!, new Uint8Array(256).fill(1));
  expect(shardKey(stacked)).not.toBe(before);
});

test("a file of the hub's cache is identified by its blob, whatever its time", () => {
  const file = join(temporaryDirectory({ [`blobs/${blob}`]: new Uint8Array(256) }), "blobs", blob);
  const before = shardKey(program(file));
  utimesSync(file, new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(shardKey(program(file))).toBe(before);
});

test("a file of such a name elsewhere is identified by its time like any other", () => {
  const file = join(temporaryDirectory({ [blob]: new Uint8Array(256) }), blob);
  const before = shardKey(program(file));
  utimesSync(file, new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(shardKey(program(file))).not.toBe(before);
});
