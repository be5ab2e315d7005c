import { describe, expect, expectTypeOf, it } from "vitest";
import { isTensor, type Tensor } from "./tensor.js";

describe("Tensor", () => {
  it("narrows its data by its type", () => {
    const tensor = { type: "float32", dims: [1], data: Float32Array.of(1) } as Tensor;
    if (tensor.type === "float32") expectTypeOf(tensor.data).toEqualTypeOf<Float32Array>();
    if (tensor.type === "int64") expectTypeOf(tensor.data).toEqualTypeOf<BigInt64Array>();
    expect(isTensor(tensor)).toBe(true);
  });

  it("does not compile with data of another type", () => {
    // @ts-expect-error float32 elements are a Float32Array.
    const wrong: Tensor = { type: "float32", dims: [1], data: Int32Array.of(1) };
    expect(isTensor(wrong)).toBe(false);
  });
});
