import { describe, expect, it } from "vitest";
import type { TensorType } from "../tensor.js";
import { arrayFrom } from "./elements.js";

describe("plain numbers as elements of a type", () => {
  it("accept every 64-bit integer, as a bigint", () => {
    const ends = [-(2n ** 63n), 2n ** 63n - 1n];
    expect(arrayFrom("x", "int64", ends)).toEqual(BigInt64Array.from(ends));
    expect(arrayFrom("x", "uint64", [2n ** 64n - 1n])).toEqual(BigUint64Array.of(2n ** 64n - 1n));
  });

  it("are rounded for float32, and kept for float64", () => {
    expect(arrayFrom("x", "float32", [0.1, true])).toEqual(Float32Array.of(0.1, 1));
    expect(arrayFrom("x", "float64", [0.1, 2n])).toEqual(Float64Array.of(0.1, 2));
  });

  it.each(["float16", "bfloat16"] as const)(
    "are refused for %s, whose bits can be passed instead",
    (type) => {
      expect(() => arrayFrom("x", type, [1])).toThrow(`input x: pass ${type} elements as a tensor`);
    },
  );

  it.each([
    [2 ** 53, "expected int64 elements, as bigints beyond 2^53; got 9007199254740992"],
    [0.5, "expected int64 elements; got 0.5"],
  ])("are refused with advice that helps: %d", (element, message) => {
    expect(() => arrayFrom("x", "int64", [element])).toThrow(message);
  });

  it.each<[TensorType, number, number]>([
    ["int8", -128, 127],
    ["uint8", 0, 255],
    ["int16", -32_768, 32_767],
    ["uint16", 0, 65_535],
    ["int32", -2_147_483_648, 2_147_483_647],
    ["uint32", 0, 4_294_967_295],
    ["bool", 0, 1],
  ])("of %s range from %i to %i", (type, least, greatest) => {
    expect([...arrayFrom("x", type, [least, greatest])]).toEqual([least, greatest]);
    for (const beyond of [least - 1, greatest + 1]) {
      expect(() => arrayFrom("x", type, [beyond])).toThrow(expect.objectContaining({ code: "RR_TYPE" }));
    }
  });

  it.each<[string, TensorType, number | bigint]>([
    ["a number beyond 2^53, which may be its rounded neighbour", "int64", 2 ** 53],
    ["one more than fits in 64 bits", "int64", 2n ** 63n],
    ["one less than fits in 64 bits", "int64", -(2n ** 63n) - 1n],
    ["one more than fits in unsigned 64 bits", "uint64", 2n ** 64n],
    ["a negative number for an unsigned type", "uint64", -1n],
  ])("refuse %s", (_, type, element) => {
    expect(() => arrayFrom("x", type, [element])).toThrow(expect.objectContaining({ code: "RR_TYPE" }));
  });
});
