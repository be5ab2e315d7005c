import type { DataType } from "../graph/graph.js";

/** Writes the float32 values of 16-bit floats, both as bit patterns: `to[i] = widen(from[i])`. */
export type Widen = (from: Uint16Array, to: Uint32Array) => void;

/** How elements stored as `storedAs` become elements of `type`; "copy" where they are the same. */
export function conversion(storedAs: DataType, type: DataType): "copy" | Widen | undefined {
  if (storedAs === type) return "copy";
  if (type !== "float32") return undefined;
  if (storedAs === "bfloat16") return widenBfloat16;
  if (storedAs === "float16") return widenFloat16;
  return undefined;
}

/** A bfloat16 is the upper half of a float32, so every value is exact. */
function widenBfloat16(from: Uint16Array, to: Uint32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = from[i]! << 16;
}

let float16Bits: Uint32Array | undefined;

function widenFloat16(from: Uint16Array, to: Uint32Array): void {
  float16Bits ??= Uint32Array.from({ length: 0x10000 }, (_, half) => float16ToFloat32Bits(half));
  for (let i = 0; i < from.length; i++) to[i] = float16Bits[from[i]!]!;
}

/** IEEE 754 binary16 to binary32, as bits. Every binary16 is exact in binary32, subnormals included. */
function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal, fraction · 2⁻²⁴, is normal in binary32: shift its leading one into the hidden bit's place.
  let normalized = 113;
  while ((fraction & 0x400) === 0) {
    fraction <<= 1;
    normalized--;
  }
  return (sign | (normalized << 23) | ((fraction & 0x3ff) << 13)) >>> 0;
}
