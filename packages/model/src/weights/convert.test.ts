import { expect, test } from "vitest";
import { conversion } from "./convert.js";

test("widens 16-bit floats to float32", () => {
  expect(conversion("bfloat16", "float32")).toBe("widenBfloat16");
  expect(conversion("float16", "float32")).toBe("widenFloat16");
});

test("refuses conversions that would lose or invent values", () => {
  expect(conversion("float64", "float32")).toBeUndefined();
  expect(conversion("int64", "float32")).toBeUndefined();
  expect(conversion("float32", "float16")).toBeUndefined();
  expect(conversion("int64", "int64")).toBe("copy");
});
