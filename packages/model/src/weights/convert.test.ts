import { expect, test } from "vitest";
import { conversion } from "./convert.js";

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

function widened(storedAs: "float16" | "bfloat16"): Float32Array {
  const widen = conversion(storedAs, "float32");
  if (typeof widen !== "function") throw new Error("expected a conversion");
  const bits = new Uint32Array(everyPattern.length);
  widen(everyPattern, bits);
  return new Float32Array(bits.buffer);
}

/** The value of a binary float by its definition in IEEE 754. */
function ieeeValue(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const highest = 2 ** exponentBits - 1;
  const bias = highest >> 1;
  const exponent = (bits >> fractionBits) & highest;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === highest) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

test("every float16 keeps its value in float32: subnormals, infinities, NaN and the sign of zero included", () => {
  expect(widened("float16")).toEqual(Float32Array.from(everyPattern, (bits) => ieeeValue(bits, 5, 10)));
});

test("every bfloat16 keeps its value in float32", () => {
  expect(widened("bfloat16")).toEqual(Float32Array.from(everyPattern, (bits) => ieeeValue(bits, 8, 7)));
});

test("nothing is converted that would lose or invent values", () => {
  expect(conversion("float64", "float32")).toBeUndefined();
  expect(conversion("int64", "float32")).toBeUndefined();
  expect(conversion("float32", "float16")).toBeUndefined();
  expect(conversion("int64", "int64")).toBe("copy");
});
