import { type Communicator, createGroup, joinGroup } from "@ringrank/collectives";
import type { Interval } from "@ringrank/model/weights";
import type { Entry } from "@ringrank/policy";
import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { ShardedLogits } from "./sharded-logits.js";

const fixed = (scale: number) => ({ scale, symbols: [] });

/** Logits for 5 tokens, of which ranks have these. */
function entry(intervals: readonly (readonly Interval[])[], selectsRows: boolean): Entry {
  const dims = [{ scale: 1, symbols: ["rows"] }, fixed(5)];
  const rows = { name: "logit_rows", type: "int64", dims: [{ scale: 1, symbols: ["rows"] }] } as const;
  return {
    inputs: selectsRows ? [rows] : [],
    outputs: [{ name: "logits", type: "float32", dims, shard: { axis: 1, size: 5, intervals } }],
    steps: [],
    caches: [],
  };
}

/** Two tokens of four rows: 10 · row + token. */
const output = new Tensor("float32", Float32Array.from([0, 1, 10, 11, 20, 21, 30, 31]), [4, 2]);
const shares = [[[0, 2]], [[2, 5]], []] as const;

test("a graph that computes all logits returns the wanted rows of them", () => {
  const logits = new ShardedLogits(entry(shares, false), 0);
  expect(logits.rows([output], [[3], [], [1, 2]])).toEqual([
    [Float32Array.of(30, 31)],
    [],
    [Float32Array.of(10, 11), Float32Array.of(20, 21)],
  ]);
});

test("a graph that only computes the wanted rows returns them in order", () => {
  const logits = new ShardedLogits(entry(shares, true), 0);
  expect(logits.rows([output], [[7], [], [5, 6]])).toEqual([
    [Float32Array.of(0, 1)],
    [],
    [Float32Array.of(10, 11), Float32Array.of(20, 21)],
  ]);
});

test("a rank without vocabulary has empty rows, and needs no output", () => {
  const logits = new ShardedLogits(entry(shares, true), 2);
  expect(logits.rows([undefined], [[7], [], [5]])).toEqual([
    [new Float32Array(0)],
    [],
    [new Float32Array(0)],
  ]);
});

test("rows are already whole if no rank has a part of the vocabulary", () => {
  const { outputs, ...others } = entry(shares, true);
  const { shard: _, ...whole } = outputs[0]!;
  const logits = new ShardedLogits({ ...others, outputs: [whole] }, 0);
  expect(logits.vocabulary).toBe(5);
  const rows = [Float32Array.of(0, 1, 2, 3, 4), Float32Array.of(5, 6, 7, 8, 9)];
  // No other rank is asked.
  expect(logits.gather(rows, {} as Communicator)).toEqual(Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

test("rows of a graph whose logits have a batch axis are also gathered along the vocabulary", () => {
  const { outputs, ...others } = entry([[[0, 5]]], false);
  const dims = [{ scale: 1, symbols: ["batch"] }, ...outputs[0]!.dims];
  const batched = { ...outputs[0]!, dims, shard: { ...outputs[0]!.shard!, axis: 2 } };
  const logits = new ShardedLogits({ ...others, outputs: [batched] }, 0);
  const rows = [Float32Array.of(0, 1, 2, 3, 4), Float32Array.of(5, 6, 7, 8, 9)];
  const alone = joinGroup(createGroup({ worldSize: 1 }), 0);
  expect(logits.gather(rows, alone)).toEqual(Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

test("refuses logits that are divided along another axis than the vocabulary", () => {
  const { outputs, ...others } = entry(shares, false);
  const divided = { ...outputs[0]!, shard: { ...outputs[0]!.shard!, axis: 0 } };
  expectCode("RR_POLICY", () => new ShardedLogits({ ...others, outputs: [divided] }, 0));
});
