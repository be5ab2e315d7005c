import "../../../../../test/support/optimized-kernels.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelCall } from "../../kernels/kernel-call.js";
import type { KernelExports } from "../../kernels/kernel-exports.js";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";
import { blockSize, blocksOf } from "./blocks.js";
import { nearestEven } from "./many-rows/plain-arithmetic.js";
import { StreamedScales } from "./streamed-scales.js";

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly count: number;
  readonly seed: number;
  /** Bytes of a scale. */
  readonly scaleBytes: 2 | 4;
  readonly isApart: boolean;
}

/**
 * Rows are kept apart on x64 only, on whose instruction the products of 8 bits depend (assembly/products/quantized/
 * dot-bytes.ts).
 */
const layouts = process.arch === "x64" ? ([false, true] as const) : ([false] as const);

/** Those that are kept apart are multiplied eight, four, two and one at a time. */
const mostRows = 15;

const anyCase = fc.record({
  rows: fc.integer({ min: 1, max: mostRows }),
  width: fc.integer({ min: 1, max: 130 }),
  count: fc.integer({ min: 1, max: 23 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  scaleBytes: fc.constantFrom(2 as const, 4 as const),
  isApart: fc.constantFrom(...layouts),
});

describe.each([4, 8] as const)("of %i bits, the", (bits) => {
  describe.each(["plain", "fused"] as const)("%s kernel", (build) => {
    const kernels = new RankKernels(64, [kernelFiles[build]]);
    const { blockBytes, roomBytes } = kernels.products[bits];
    const quantize = (...args: Parameters<KernelExports["quantize4"]>) =>
      kernels.make(kernelCall(`quantize${bits}`, ...args));
    const multiply = (...args: Parameters<KernelExports["multiply4"]>) =>
      kernels.make(kernelCall(`multiply${bits}`, ...args));
    const floats = (count: number) => kernels.memory.floats(count)!;
    // Room for the largest case, and a float after each row of outputs that does not belong to it.
    const [x, quantized, out, streamed, bias] = [
      mostRows * 130,
      mostRows * 5 * (blockBytes / 4) + roomBytes(5) / 4,
      mostRows * 24,
      23 * 5,
      23,
    ].map(floats) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    const scales = new Float32Array(streamed.length);
    const { buffer, byteOffset } = floats(23 * 5 * bits);
    const values = new Uint8Array(buffer, byteOffset, 23 * 5 * bits * 4);

    function fill({ seed, scaleBytes }: Case): void {
      const random = (index: number) => ((seed + index) * 48_271) % 65_537;
      for (const [i] of x.entries()) x[i] = ((random(i) - 32_768) / 1000) * 2 ** (Math.floor(i / 40) % 5);
      for (const [i] of values.entries()) values[i] = random(i);
      // bfloat16 can represent integers up to 256, but no multiple of 1.001 except 0.
      const unit = scaleBytes === 2 ? 1 : 1.001;
      for (const [i] of scales.entries()) scales[i] = ((random(i) % 250) - 125) * unit;
      for (const [i] of bias.entries()) bias[i] = random(i) / 1000;
      out.fill(7);
    }

    /**
     * @param from `[count, blocks]`
     * @returns bytes of a scale
     */
    function stream(from: Float32Array, count: number, width: number, into: Float32Array): number {
      into.set(from);
      const { scales } = new StreamedScales().of({ rows: count, width, bits, scales: into }, kernels)!;
      return scales.BYTES_PER_ELEMENT;
    }

    it("multiplies like plain code", () => {
      fc.assert(
        fc.property(anyCase, (one) => {
          const { rows, width, count, isApart } = one;
          fill(one);
          const used = count * blocksOf(width);
          const scaleBytes = stream(scales.subarray(0, used), count, width, streamed.subarray(0, used));
          expect(scaleBytes).toBe(one.scaleBytes);
          quantize(x.byteOffset, rows, width, isApart, quantized.byteOffset);
          const from = [quantized.byteOffset, rows, isApart, values.byteOffset, streamed.byteOffset] as const;
          const to = [bias.byteOffset, out.byteOffset, 4 * (count + 1)] as const;
          multiply(...from, scaleBytes, ...to, count, blocksOf(width));
          for (let row = 0; row < rows; row++) {
            for (let n = 0; n < count; n++) {
              const { sum, magnitude } = plainProduct(row, n, width);
              const difference = Math.abs(out[row * (count + 1) + n]! - sum);
              // The integers are exact; the difference is the order of float32 additions.
              expect(difference, `row ${row}, ${n}`).toBeLessThanOrEqual(1e-6 * magnitude);
            }
            expect(out[row * (count + 1) + count]).toBe(7);
          }
        }),
        { numRuns: 40 },
      );
    });

    it.each(layouts)("adds up the largest weights and activations, apart: %s", (isApart) => {
      const [rows, width, count] = [2, 64, 8];
      // Rounded to 127 and −127, and else to 120 and −121, of which both parts of 8 bits are −8 and 8, or 7 and −8.
      for (let i = 0; i < width; i++) {
        x[i] = i % 32 === 0 ? 127 : 120;
        x[width + i] = i % 32 === 0 ? -127 : -121;
      }
      values.fill(255);
      streamed.fill(1);
      bias.fill(0);
      quantize(x.byteOffset, rows, width, isApart, quantized.byteOffset);
      const from = [quantized.byteOffset, rows, isApart, values.byteOffset, streamed.byteOffset] as const;
      multiply(...from, 4, bias.byteOffset, out.byteOffset, 4 * count, count, blocksOf(width));
      const weight = 2 ** (bits - 1) - 1;
      const sums = [2 * weight * (127 + 31 * 120), -2 * weight * (127 + 31 * 121)];
      // All numbers are integers that float32 represents.
      expect([...out.subarray(0, rows * count)]).toEqual(sums.flatMap((sum) => new Array(count).fill(sum)));
    });

    it.each(layouts)("gives a row the same bits beside any number of others, apart: %s", (isApart) => {
      const width = 2100;
      const count = 13;
      const blocks = blocksOf(width);
      const [x, quantized, out, scales] = [
        mostRows * width,
        (mostRows * blocks * blockBytes + roomBytes(blocks)) / 4,
        mostRows * count,
        count * blocks,
      ].map(floats) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const matrix = floats(count * blocks * bits);
      for (const data of [x, scales]) for (const [i] of data.entries()) data[i] = Math.sin(i * 1.3);
      const scaleBytes = stream(scales.slice(), count, width, scales);
      const bytes = new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength);
      for (const [i] of bytes.entries()) bytes[i] = (i * 48_271) % 251;
      const product = (first: number, rows: number): Float32Array => {
        const [from, room, to, factors] = [x, quantized, out, scales].map((data) => data.byteOffset) as [
          number,
          number,
          number,
          number,
        ];
        quantize(from + 4 * first * width, rows, width, isApart, room);
        multiply(
          room,
          rows,
          isApart,
          matrix.byteOffset,
          factors,
          scaleBytes,
          0,
          to,
          4 * count,
          count,
          blocks,
        );
        return out.slice(0, rows * count);
      };
      // Of the matrix eight rows, four, and a last one.
      const alone = Array.from({ length: mostRows }, (_, row) => product(row, 1));
      for (let rows = 2; rows <= mostRows; rows++) {
        const together = product(0, rows);
        for (let row = 0; row < rows; row++) {
          expect(together.subarray(row * count, (row + 1) * count), `row ${row} of ${rows}`).toEqual(
            alone[row],
          );
        }
      }
      for (const data of [x, quantized, out, scales, matrix]) kernels.memory.release(data);
    });

    /** The product of a row of x and a row of the matrix, and the sum of its terms' magnitudes. */
    function plainProduct(row: number, n: number, width: number): { sum: number; magnitude: number } {
      const blocks = blocksOf(width);
      const zero = 2 ** (bits - 1);
      let sum = bias[n]!;
      let magnitude = Math.abs(sum);
      for (let block = 0; block < blocks; block++) {
        const first = block * blockSize;
        const activations = [
          ...x.subarray(row * width + first, row * width + Math.min(width, first + blockSize)),
        ];
        const most = Math.max(...activations.map(Math.abs));
        const inverse = most === 0 ? 0 : Math.fround(127 / most);
        const scale = Math.fround(most / 127) * scales[n * blocks + block]!;
        const dot = activations.reduce((dot, activation, i) => {
          const at = (n * blocks + block) * blockSize + i;
          const value = bits === 8 ? values[at]! : (values[at >> 1]! >> (4 * (at % 2))) & 15;
          return dot + nearestEven(Math.fround(activation * inverse)) * (value - zero);
        }, 0);
        sum += scale * dot;
        magnitude += Math.abs(scale * dot);
      }
      return { sum, magnitude };
    }
  });
});
