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

test("sizes say what symbols are, and symbols what other sizes are", () => {
  const bindings: Bindings = new Map();
  bindSizes(value, [3, 10], bindings);
  expect(Object.fromEntries(bindings)).toEqual({ batch: 3, sequence: 5 });
  expect(resolveSizes([{ scale: 4, symbols: ["batch", "sequence"] }], bindings)).toEqual([60]);
});

test.each([
  ["of another rank", [3], "2 dimensions"],
  ["that is no multiple of what it is made of", [3, 5], "a multiple of 2"],
  ["that is another than a value before it had", [4, 8], "to be 3, got 4"],
])("a size %s is refused", (_, dims, message) => {
  expect(() => bindSizes(value, dims, new Map([["batch", 3]]))).toThrow(
    expect.objectContaining({ code: "RR_SHAPE", message: expect.stringContaining(message) }),
  );
});

test("a size of which an empty other says nothing is refused", () => {
  const flattened = { ...value, dims: [{ scale: 1, symbols: ["batch", "sequence"] }] };
  const refused = expect.objectContaining({ code: "RR_SHAPE" });
  expect(() => bindSizes(flattened, [0], new Map([["batch", 0]]))).toThrow(refused);
});

test("a size that no value has told is refused", () => {
  expect(() => resolveSizes(value.dims, new Map([["batch", 3]]))).toThrow('determines the size "sequence"');
});
