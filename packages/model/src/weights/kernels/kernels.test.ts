import { localMemory } from "@ringrank/webassembly";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Kernels } from "./kernels.js";
import { plainKernels } from "./plain-kernels.js";
import { reservedBytes, simdKernels } from "./simd-kernels.js";

const memory = localMemory(1 << 20);
const bytes = new Uint8Array(memory.buffer);
const halves = new Uint16Array(memory.buffer);
const floats = new Float32Array(memory.buffer);
const plain = plainKernels(memory.buffer);
const simd = simdKernels(memory);

// Addresses, far enough apart for everything that is written here.
const from = reservedBytes;
const to = from + 0x60000;
const scales = from + 0xc0000;

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

/** The value of a binary float by the definition in IEEE 754. */
function ieeeValue(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const highest = 2 ** exponentBits - 1;
  const bias = highest >> 1;
  const exponent = (bits >> fractionBits) & highest;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === highest) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe.each([
  ["plain", plain],
  ["simd", simd],
])("%s kernels", (_, kernels) => {
  it.each([
    ["widenFloat16", 5, 10],
    ["widenBfloat16", 8, 7],
  ] as const)(
    "%s keeps every value: subnormals, infinities, NaN and the sign of zero",
    (kernel, exponent, fraction) => {
      halves.set(everyPattern, from / 2);
      kernels[kernel](to, from, everyPattern.length);
      const expected = Float32Array.from(everyPattern, (bits) => ieeeValue(bits, exponent, fraction));
      expect(floats.slice(to / 4, to / 4 + everyPattern.length)).toEqual(expected);
    },
  );

  it("represent a block's extreme element by the lowest number, if that scale fits all others", () => {
    // Multiples of one step from −8 to 7, so that no other scale is needed for exact values.
    const block = Float32Array.from({ length: 32 }, (_, i) => -0.25 * ((i % 16) - 8));
    expect(quantized(kernels, 4, block, 1)).toEqual({
      scales: [-0.25],
      values: Array.from({ length: 16 }, (_, i) => ((2 * i) % 16) | (((2 * i + 1) % 16) << 4)),
    });
  });

  it("have the bfloat16 nearest to the best scale as the scale", () => {
    // Only 4.02, represented by −8: the scale is −0.5025, which is between −0.5 and −0.50390625.
    const block = new Float32Array(32).fill(4.02, 3, 4);
    expect(quantized(kernels, 4, block, 1).scales).toEqual([-0.50390625]);
  });

  it("represent a block of zeros by the middle number and a scale of 0", () => {
    expect(quantized(kernels, 4, new Float32Array(32), 1)).toEqual({
      scales: [0],
      values: Array(16).fill(0x88),
    });
    expect(quantized(kernels, 8, new Float32Array(32), 1)).toEqual({
      scales: [0],
      values: Array(32).fill(0x80),
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "do not hide %f among numbers: its block, and no other, has the scale NaN",
    (element) => {
      const rows = Float32Array.from({ length: 96 }, (_, i) => (i === 40 ? element : 1 - i));
      for (const bits of [4, 8] as const) {
        const { scales } = quantized(kernels, bits, rows, 1);
        expect(scales.map(Number.isFinite)).toEqual([true, false, true]);
        expect(scales[1]).toBeNaN();
      }
    },
  );

  it("pad a partial block with zeros", () => {
    const rows = Float32Array.of(1, -2, 3, 4, 5, 6);
    const { scales, values } = quantized(kernels, 8, rows, 2);
    expect(scales).toHaveLength(2);
    expect(values).toHaveLength(64);
    expect(values.slice(3, 32)).toEqual(Array(29).fill(0x80));
    expect(values.slice(35)).toEqual(Array(29).fill(0x80));
  });
});

function quantized(kernels: Kernels, bits: 4 | 8, data: Float32Array, rows: number) {
  const columns = data.length / rows;
  const blocks = Math.ceil(columns / 32) * rows;
  floats.set(data, from / 4);
  kernels[bits === 4 ? "quantize4" : "quantize8"](to, scales, from, rows, columns);
  return {
    scales: [...floats.slice(scales / 4, scales / 4 + blocks)],
    values: [...bytes.slice(to, to + blocks * bits * 4)],
  };
}

/** Finite floats of every size and sign, including zeros; sometimes blocks of one size. */
const anyFloat = fc.oneof(
  { weight: 4, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 0.5, -0.5, 1, -1) },
);

const anyMatrix = fc
  .record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 100 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      rows: fc.constant(rows),
      data: fc
        .array(anyFloat, { minLength: rows * columns, maxLength: rows * columns })
        .map((all) => Float32Array.from(all)),
    }),
  );

describe("simd kernels", () => {
  it.each([4, 8] as const)(
    "quantize to %i bits with the same result as the plain kernels, bit for bit",
    (bits) => {
      fc.assert(
        fc.property(anyMatrix, ({ data, rows }) => {
          const [expected, received] = [plain, simd].map((kernels) => quantized(kernels, bits, data, rows));
          expect(received).toEqual(expected);
        }),
      );
    },
  );

  it("transpose with the same result as the plain kernels", () => {
    fc.assert(
      fc.property(anyMatrix, ({ data, rows }) => {
        const [expected, received] = [plain, simd].map((kernels) => {
          floats.set(data, from / 4);
          kernels.transpose(to, from, rows, data.length / rows);
          return [...floats.slice(to / 4, to / 4 + data.length)];
        });
        expect(received).toEqual(expected);
      }),
    );
  });

  it.each(["widenFloat16", "widenBfloat16"] as const)(
    "%s any number of elements with the same result as the plain kernels",
    (kernel) => {
      halves.set(everyPattern, from / 2);
      fc.assert(
        fc.property(fc.nat(0xff00), fc.nat(40), (first, count) => {
          const [expected, received] = [plain, simd].map((kernels) => {
            bytes.fill(0xee, to, to + 200);
            kernels[kernel](to, from + first * 2, count);
            return [...bytes.slice(to, to + 200)];
          });
          expect(received).toEqual(expected);
        }),
      );
    },
  );
});
