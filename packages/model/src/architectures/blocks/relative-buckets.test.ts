import { describe, expect, it } from "vitest";
import { bucketOf } from "./relative-buckets.js";

const t5 = { buckets: 32, maxDistance: 128 };

describe("T5's bucket of a distance, key − query", () => {
  it.each([
    // Eight exact buckets on each side, then eight that widen.
    [0, 0],
    [-1, 1],
    [-7, 7],
    [-8, 8],
    [-11, 8],
    [-12, 9],
    [-16, 10],
    [-64, 14],
    [-127, 15],
    [-1000, 15],
    [1, 17],
    [7, 23],
    [8, 24],
    [1000, 31],
  ])("%i is %i in both directions", (distance, bucket) => {
    expect(bucketOf(distance, { ...t5, bidirectional: true })).toBe(bucket);
  });

  it.each([
    [5, 0],
    [0, 0],
    [-1, 1],
    [-15, 15],
    [-16, 16],
    [-32, 21],
    [-128, 31],
    [-1000, 31],
  ])("%i is %i if keys after the query are not seen", (distance, bucket) => {
    expect(bucketOf(distance, { ...t5, bidirectional: false })).toBe(bucket);
  });
});
