import type { SharedMemory } from "@ringrank/webassembly";
import { int8Block, type Kernels } from "./kernels.js";

/** The narrower forms of float32 elements, in plain JavaScript, which defines them. */
export function plainWires(memory: SharedMemory): Kernels["wires"] {
  const floats = new Float32Array(memory.buffer);
  const halves = new Uint16Array(memory.buffer);
  const bytes = new Int8Array(memory.buffer);
  return {
    float16: {
      encode(out, from, length) {
        for (let i = 0; i < length; i++) halves[2 * out + i] = toHalf(floats[from + i]!);
      },
      decode(out, from, length) {
        for (let i = 0; i < length; i++) floats[out + i] = fromHalf(halves[2 * from + i]!);
      },
    },
    int8: {
      encode(out, from, length) {
        let block = out;
        for (let start = 0; start < length; start += int8Block, block += int8Words) {
          const count = Math.min(int8Block, length - start);
          let most = 0;
          for (let i = 0; i < count; i++) most = Math.max(most, Math.abs(floats[from + start + i]!));
          floats[block] = most / 127;
          const inverse = most === 0 ? 0 : Math.fround(127 / most);
          for (let i = 0; i < count; i++) {
            const scaled = roundToEven(Math.fround(floats[from + start + i]! * inverse));
            bytes[4 * (block + 1) + i] = Math.min(127, Math.max(-127, scaled));
          }
        }
      },
      decode(out, from, length) {
        let block = from;
        for (let start = 0; start < length; start += int8Block, block += int8Words) {
          const count = Math.min(int8Block, length - start);
          for (let i = 0; i < count; i++)
            floats[out + start + i] = bytes[4 * (block + 1) + i]! * floats[block]!;
        }
      },
    },
  };
}

/** Words of a block: its scale, and four elements per word. */
const int8Words = 1 + int8Block / 4;

/** The nearest binary16, ties to even; values that are too large become infinite. */
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  if (Number.isNaN(x)) return 0x7e00;
  const size = Math.abs(x);
  if (size >= 65_520) return sign | 0x7c00;
  // Steps of 2⁻²⁴ up to 2⁻¹⁴, then 1024 steps between one power of two and the next.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const steps = roundToEven(size / 2 ** (exponent - 10));
  // 2048 steps carry into the exponent, which gives the next value.
  return sign | (steps + 1024 * (exponent + 14));
}

function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest integer; ties to even. */
function roundToEven(x: number): number {
  const below = Math.floor(x);
  const above = x - below;
  if (above !== 0.5) return above < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
