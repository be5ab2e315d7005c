import "../../../../../test/support/optimized-kernels.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelCall } from "../../kernels/kernel-call.js";
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

type StoredAs = "float32" | "bfloat16";

/** Memory for a matrix, and for the rows that it is multiplied by, as the kernel takes them. */
class Operands {
  readonly bytes: 2 | 4;
  readonly #kernels: RankKernels;
  readonly #matrix: Float32Array | Uint16Array;
  readonly #room: Float32Array;

  constructor(kernels: RankKernels, storedAs: StoredAs, elements: number, rowElements: number) {
    const { memory } = kernels;
    this.bytes = storedAs === "float32" ? 4 : 2;
    this.#kernels = kernels;
    this.#room = memory.floats(rowElements + 64)!;
    // The matrix ends one cache line before the memory does: reading a page beyond it is an error.
    const floats = Math.ceil((elements * this.bytes) / 64) * 16;
    memory.floats(memory.bytesFree / 4 - floats);
    const { buffer, byteOffset } = memory.floats(floats)!;
    this.#matrix =
      storedAs === "float32"
        ? new Float32Array(buffer, byteOffset, elements)
        : new Uint16Array(buffer, byteOffset, elements);
  }

  /** @returns the elements as they are stored */
  fill(elementOf: (index: number) => number): Float32Array {
    const elements = Float32Array.from(this.#matrix, (_, index) => elementOf(index));
    if (this.#matrix instanceof Float32Array) this.#matrix.set(elements);
    else {
      const bits = new Uint32Array(elements.buffer);
      this.#matrix.set(bits.map((one) => one >>> 16));
      for (const [i, one] of bits.entries()) bits[i] = one & 0xffff0000;
    }
    return elements;
  }

  multiply(
    { rows, count, width, mostStreams }: Pick<Case, "rows" | "count" | "width" | "mostStreams">,
    x: Float32Array,
    bias: number,
    out: Float32Array,
    outBytes: number,
  ): void {
    const [matrix, room] = [this.#matrix.byteOffset, this.#room.byteOffset];
    const into = [bias, out.byteOffset, outBytes, count, width, mostStreams] as const;
    const calls =
      this.bytes === 4
        ? [kernelCall("multiplyFloats", x.byteOffset, rows, matrix, ...into)]
        : [
            kernelCall("splitRows", x.byteOffset, rows, width, room),
            kernelCall("multiplyBfloats", room, rows, matrix, ...into),
          ];
    for (const call of calls) this.#kernels.make(call);
  }
}

describe.each([
  ["plain", "float32"],
  ["fused", "float32"],
  ["plain", "bfloat16"],
  ["fused", "bfloat16"],
] as const)("the %s kernel for matrices of %s", (build, storedAs) => {
  const kernels = new RankKernels(64, [kernelFiles[build]]);
  const floats = (count: number) => kernels.memory.floats(count)!;
  const x = floats(mostRows * mostWidth);
  const bias = floats(mostCount);
  // A float after each row that does not belong to it.
  const out = floats(mostRows * (mostCount + 1));
  const products = floats(mostRows * mostCount);
  const operands = new Operands(kernels, storedAs, mostCount * mostWidth, mostRows * mostWidth);

  /** @returns the matrix */
  function multiply(one: Case): Float32Array {
    const numberOf = (i: number) => ((((one.seed + i) * 48_271) % 65_537) - 32_768) / 10_000;
    for (const data of [x, bias]) for (const [i] of data.entries()) data[i] = numberOf(i);
    const values = operands.fill(numberOf);
    out.fill(7);
    operands.multiply(one, x, one.hasBias ? bias.byteOffset : 0, out, 4 * (one.count + 1));
    return values;
  }

  it("multiplies like plain code", () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const values = multiply(one);
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

  // Rows of whole pages, in which streams of floats are read half a page ahead of others.
  it.each([7, 8, 9, 15, 16, 17, 41])(
    "multiplies by %i rows of 4 KiB like by others, and does not read beyond them",
    (count) => {
      const width = 4096 / operands.bytes;
      const kernels = new RankKernels(5, [kernelFiles[build]]);
      const [x, made] = [4 * width, 4 * count].map((length) => kernels.memory.floats(length)!) as [
        Float32Array,
        Float32Array,
      ];
      const page = new Operands(kernels, storedAs, count * width, 4 * width);
      for (const [i] of x.entries()) x[i] = Math.sin(i * 1.3);
      const matrix = page.fill((i) => Math.sin(i * 1.3));
      const multiplied = (rows: number): Float32Array => {
        page.multiply({ rows, count, width, mostStreams: 8 }, x, 0, made, 4 * count);
        return made.slice(0, rows * count);
      };
      const one = multiplied(1);
      expect(one).toEqual(multiplied(4).subarray(0, count));
      const expected = Float32Array.from({ length: count }, (_, row) => {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += x[k]! * matrix[row * width + k]!;
        return sum;
      });
      // Some 256 additions in each of four lanes or eight, of products up to 1. Each rounds by 2^-24 of a sum, which may
      // be all of the result.
      expect(one).toBeAllclose(expected, { rtol: 5e-7, atol: 1e-4 });
    },
  );

  it.each([
    [1, 1],
    [4, 16],
    [5, 37],
    [7, 18],
  ])("transposes the products of %i rows and %i rows of a matrix, and adds a bias", (rows, count) => {
    for (const [i] of products.entries()) products[i] = i;
    for (const row of [0, bias.byteOffset]) {
      out.fill(7);
      kernels.transposeProducts(products.byteOffset, rows, row, out.byteOffset, 4 * (count + 1), count);
      const expected = Array.from({ length: rows }, (_, at) => [
        ...Array.from({ length: count }, (_, n) => Math.fround(n * rows + at + (row === 0 ? 0 : bias[n]!))),
        7,
      ]);
      expect([...out.subarray(0, rows * (count + 1))]).toEqual(expected.flat());
    }
  });
});
