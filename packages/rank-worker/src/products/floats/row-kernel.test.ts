import "../../../../../test/support/optimized-kernels.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";

const [mostRows, mostWidth, mostCount] = [5, 41, 300];

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly count: number;
  readonly seed: number;
  readonly hasBias: boolean;
  readonly mostStreams: 4 | 8;
}

const anyCase = fc.record({
  rows: fc.integer({ min: 1, max: mostRows }),
  width: fc.integer({ min: 1, max: mostWidth }),
  count: fc.integer({ min: 1, max: mostCount }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  hasBias: fc.boolean(),
  mostStreams: fc.constantFrom(4 as const, 8 as const),
});

describe.each(["plain", "fused"] as const)("the %s kernel for matrices of floats", (build) => {
  const kernels = new RankKernels(64, [kernelFiles[build]]);
  const floats = (count: number) => kernels.memory.floats(count)!;
  const x = floats(mostRows * mostWidth);
  const values = floats(mostCount * mostWidth);
  const bias = floats(mostCount);
  // A float after each row that does not belong to it.
  const out = floats(mostRows * (mostCount + 1));

  function multiply({ rows, width, count, seed, hasBias, mostStreams }: Case): void {
    for (const data of [x, values, bias])
      for (const [i] of data.entries()) data[i] = ((((seed + i) * 48_271) % 65_537) - 32_768) / 10_000;
    out.fill(7);
    const [from, matrix, row, to] = [x, values, bias, out].map((data) => data.byteOffset) as [
      number,
      number,
      number,
      number,
    ];
    const added = hasBias ? row : 0;
    kernels.multiplyFloats(from, rows, matrix, added, to, 4 * (count + 1), count, width, mostStreams);
  }

  it("multiplies like plain code", () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        multiply(one);
        for (let row = 0; row < one.rows; row++) {
          for (let n = 0; n < one.count; n++) {
            let sum = one.hasBias ? bias[n]! : 0;
            let magnitude = Math.abs(sum);
            for (let k = 0; k < one.width; k++) {
              const product = x[row * one.width + k]! * values[n * one.width + k]!;
              sum += product;
              magnitude += Math.abs(product);
            }
            // Up to 41 float32 sums, in another order: each rounds by 2^-24 of its magnitude.
            const difference = Math.abs(out[row * (one.count + 1) + n]! - sum);
            expect(difference, `row ${row}, ${n}`).toBeLessThanOrEqual(1e-6 * magnitude);
          }
          expect(out[row * (one.count + 1) + one.count]).toBe(7);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("gives a row the same bits however many other rows, and rows of the matrix, are multiplied with it", () => {
    const one: Case = { rows: 4, width: 39, count: 262, seed: 3, hasBias: true, mostStreams: 8 };
    multiply(one);
    const together = out.slice(0, 4 * 263);
    for (const mostStreams of [4, 8] as const) {
      multiply({ ...one, rows: 1, mostStreams });
      expect(out.subarray(0, 262)).toEqual(together.subarray(0, 262));
      multiply({ ...one, rows: 3, mostStreams });
      expect(out.subarray(2 * 263, 3 * 263 - 1)).toEqual(together.subarray(2 * 263, 3 * 263 - 1));
    }
  });

  // Rows of whole pages, in which streams are read half a page ahead of others.
  it.each([7, 8, 9, 15, 16, 17, 41])(
    "multiplies by %i rows of 4 KiB like by others, and does not read beyond them",
    (count) => {
      const width = 1024;
      const kernels = new RankKernels(4, [kernelFiles[build]]);
      const { memory } = kernels;
      const [x, made] = [memory.floats(4 * width)!, memory.floats(4 * count)!];
      // The matrix ends one cache line before the memory does: reading a page beyond it is an error.
      memory.floats(memory.bytesFree / 4 - count * width);
      const matrix = memory.floats(count * width)!;
      for (const data of [x, matrix]) for (const [i] of data.entries()) data[i] = Math.sin(i * 1.3);
      const multiplied = (rows: number): Float32Array => {
        const [from, values, to] = [x, matrix, made].map((data) => data.byteOffset) as [
          number,
          number,
          number,
        ];
        kernels.multiplyFloats(from, rows, values, 0, to, 4 * count, count, width, 8);
        return made.slice(0, rows * count);
      };
      const one = multiplied(1);
      expect(one).toEqual(multiplied(4).subarray(0, count));
      const expected = Float32Array.from({ length: count }, (_, row) => {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += x[k]! * matrix[row * width + k]!;
        return sum;
      });
      // 1024 sums in four lanes, of products up to 1: each rounds by 2^-24 of its magnitude.
      expect(one).toBeAllclose(expected, { rtol: 0, atol: 1e-4 });
    },
  );

  it.each([
    [1, 1],
    [4, 16],
    [5, 37],
    [7, 18],
  ])("transposes the products of %i rows and %i rows of a matrix, and adds a bias", (rows, count) => {
    const products = floats(count * rows);
    for (const [i] of products.entries()) products[i] = i;
    for (const row of [0, bias.byteOffset]) {
      out.fill(7);
      kernels.turnProducts(products.byteOffset, rows, row, out.byteOffset, 4 * (count + 1), count);
      const expected = Array.from({ length: rows }, (_, at) => [
        ...Array.from({ length: count }, (_, n) => Math.fround(n * rows + at + (row === 0 ? 0 : bias[n]!))),
        7,
      ]);
      expect([...out.subarray(0, rows * (count + 1))]).toEqual(expected.flat());
    }
  });
});
