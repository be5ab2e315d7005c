import { describe, expect, it } from "vitest";
import { arrayFrom } from "./elements.js";

describe("plain numbers as elements of a type", () => {
  it("take every whole number of 64 bits, as a bigint", () => {
    const ends = [-(2n ** 63n), 2n ** 63n - 1n];
    expect(arrayFrom("x", "int64", ends)).toEqual(BigInt64Array.from(ends));
    expect(arrayFrom("x", "uint64", [2n ** 64n - 1n])).toEqual(BigUint64Array.of(2n ** 64n - 1n));
  });

  it.each<[string, Parameters<typeof arrayFrom>[1], number | bigint]>([
    ["a number beyond 2^53, which may stand for its neighbour", "int64", 2 ** 53],
    ["one more than 64 bits hold", "int64", 2n ** 63n],
    ["a negative number without a sign", "uint64", -1n],
    ["one more than 8 bits hold", "uint8", 256n],
  ])("refuse %s", (_, type, element) => {
    expect(() => arrayFrom("x", type, [element])).toThrow(expect.objectContaining({ code: "RR_TYPE" }));
  });
});
