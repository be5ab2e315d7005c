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

const anyCase = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 130 }),
  count: fc.integer({ min: 1, max: 23 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  scaleBytes: fc.constantFrom(2 as const, 4 as const),
  isApart: fc.boolean(),
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
      9 * 130,
      9 * 5 * (blockBytes / 4) + roomBytes / 4,
      9 * 24,
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

    it.each([
      ["in groups", false],
      ["apart", true],
    ])("gives a row the same bits however many other rows are multiplied with it, %s", (_, isApart) => {
      const width = 2100;
      const count = 13;
      const blocks = blocksOf(width);
      const [x, quantized, out, scales] = [
        7 * width,
        (7 * blocks * blockBytes + roomBytes) / 4,
        7 * count,
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
      // A group of four rows, one of two, and a last one; of the matrix eight rows, four, and a last one.
      const together = product(0, 7);
      for (let row = 0; row < 7; row++) {
        expect(together.subarray(row * count, (row + 1) * count), `row ${row}`).toEqual(product(row, 1));
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
