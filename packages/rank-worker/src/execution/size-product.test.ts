import type { LocalValue } from "@ringrank/policy";
import { expect, test } from "vitest";
import { type Bindings, bindSizes, resolveSizes } from "./size-product.js";

/** `[batch, 2 · sequence]` */
const value: LocalValue = {
  name: "x",
  type: "float32",
  dims: [
    { scale: 1, symbols: ["batch"] },
    { scale: 2, symbols: ["sequence"] },
  ],
};

test("sizes determine symbols, and symbols determine other sizes", () => {
  const bindings: Bindings = new Map();
  bindSizes(value, [3, 10], bindings);
  expect(Object.fromEntries(bindings)).toEqual({ batch: 3, sequence: 5 });
  expect(resolveSizes([{ scale: 4, symbols: ["batch", "sequence"] }], bindings)).toEqual([60]);
});

test.each([
  ["of a value with another rank", [3], "2 dimensions"],
  ["that is not a multiple of its constant", [3, 5], "a multiple of 2"],
  ["that differs from an earlier value's", [4, 8], "to be 3, got 4"],
])("refuses a size %s", (_, dims, message) => {
  expect(() => bindSizes(value, dims, new Map([["batch", 3]]))).toThrow(
    expect.objectContaining({ code: "RR_SHAPE", message: expect.stringContaining(message) }),
  );
});

test("refuses a size whose symbol is only multiplied by a size of 0 elsewhere", () => {
  const flattened = { ...value, dims: [{ scale: 1, symbols: ["batch", "sequence"] }] };
  const refused = expect.objectContaining({ code: "RR_SHAPE" });
  expect(() => bindSizes(flattened, [0], new Map([["batch", 0]]))).toThrow(refused);
});

test("refuses a size that no value determines", () => {
  expect(() => resolveSizes(value.dims, new Map([["batch", 3]]))).toThrow('determines the size "sequence"');
});
