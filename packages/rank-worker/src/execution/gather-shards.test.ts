import type { ValueShard } from "@ringrank/policy";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import type { TensorMessage } from "../protocol.js";
import { onOneThread, valuesOf } from "../testing/on-one-thread.js";
import { gatherShards } from "./gather-shards.js";

const gather = (parts: TensorMessage[], shard: ValueShard): TensorMessage[] =>
  valuesOf(
    onOneThread(parts.length, (communicator) => gatherShards(communicator, parts[communicator.rank]!, shard)),
  );
const float32 = (dims: number[], values: number[]): TensorMessage => ({
  type: "float32",
  dims,
  data: Float32Array.from(values),
});

test("interleaves parts along the last axis by row", () => {
  const shard: ValueShard = { axis: 1, size: 3, intervals: [[[0, 2]], [[2, 3]]] };
  const parts = [float32([2, 2], [1, 2, 4, 5]), float32([2, 1], [3, 6])];
  for (const whole of gather(parts, shard)) expect(whole).toEqual(float32([2, 3], [1, 2, 3, 4, 5, 6]));
});

test("intervals may be several, overlap, alternate between ranks, and be empty", () => {
  const shard: ValueShard = {
    axis: 0,
    size: 4,
    intervals: [
      [
        [0, 1],
        [3, 4],
      ],
      [],
      [[0, 3]],
    ],
  };
  const parts = [float32([2, 2], [1, 2, 7, 8]), float32([0, 2], []), float32([3, 2], [1, 2, 3, 4, 5, 6])];
  for (const whole of gather(parts, shard)) expect(whole).toEqual(float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
});

test("keeps the bits of every element type, even if they do not fill whole words", () => {
  const shard: ValueShard = { axis: 0, size: 5, intervals: [[[0, 3]], [[3, 5]]] };
  const int64: TensorMessage[] = [
    { type: "int64", dims: [3], data: BigInt64Array.of(1n, -2n, 2n ** 62n) },
    { type: "int64", dims: [2], data: BigInt64Array.of(-1n, 5n) },
  ];
  expect(gather(int64, shard)[1]!.data).toEqual(BigInt64Array.of(1n, -2n, 2n ** 62n, -1n, 5n));
  const bool: TensorMessage[] = [
    { type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) },
    { type: "bool", dims: [2], data: Uint8Array.of(0, 1) },
  ];
  expect(gather(bool, shard)[0]!.data).toEqual(Uint8Array.of(1, 0, 1, 0, 1));
});

test("refuses a part of another size than its intervals", () => {
  const shard: ValueShard = { axis: 0, size: 3, intervals: [[[0, 2]], [[2, 3]]] };
  expectCode("RR_SHAPE", () => gather([float32([1], [1]), float32([1], [3])], shard));
});
