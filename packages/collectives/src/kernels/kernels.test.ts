import { sharedMemory } from "@ringrank/webassembly";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Kernels } from "./kernels.js";
import { plainKernels } from "./plain-kernels.js";
import { simdKernels } from "./simd-kernels.js";

const memory = sharedMemory(65_536);
const floats = new Float32Array(memory.buffer);
const words = new Int32Array(memory.buffer);
const plain = plainKernels(memory);
const simd = simdKernels(memory);

const left = 1024;
const right = 5120;
const out = 9216;
const shown = 12_800;
/** A board of three ranks, of which this one is the second: where the first rank's counter is, and the distances. */
const board = { published: 16, header: 2, line: 8 } as const;
const { published, header, line } = board;
const ranks = 3;
const own = 1;

function offer(kernels: Kernels, from: number, length: number, signature: number, round: number): number {
  return kernels.offer(shown, from, length, published, header, line, own, ranks, signature, round, 3);
}

/** What another rank has on the board. */
function post(rank: number, [round, signature, length]: readonly [number, number, number]): void {
  const at = published + rank * line;
  words[at] = round;
  words[at + header] = signature;
  words[at + header + 1] = length;
}

/** The results of `kernel` for each pair. */
function reduce(kernels: Kernels, type: "float32" | "int32", operation: "sum" | "max", pairs: number[][]) {
  const elements = type === "float32" ? floats : words;
  for (const [i, [a, b]] of pairs.entries()) {
    elements[left + i] = a!;
    elements[right + i] = b!;
  }
  kernels[type][operation](out, left, right, pairs.length);
  return [...elements.subarray(out, out + pairs.length)];
}

describe.each([
  ["plain", plain],
  ["simd", simd],
])("%s kernels", (_, kernels) => {
  it("round each fp32 sum to fp32", () => {
    const pairs = fc.array(fc.tuple(fc.float(), fc.float()), { maxLength: 100 });
    fc.assert(
      fc.property(pairs, (pairs) => {
        expect(reduce(kernels, "float32", "sum", pairs)).toEqual(pairs.map(([a, b]) => Math.fround(a + b)));
      }),
    );
  });

  // 40 elements reach the vector loop and its remainder.
  const many = (pair: number[]) => Array.from({ length: 40 }, () => pair);

  it("wrap an int32 sum around", () => {
    expect(reduce(kernels, "int32", "sum", many([2 ** 31 - 1, 1]))).toEqual(many([-(2 ** 31)]).flat());
  });

  it("propagate NaN from either side", () => {
    for (const operation of ["sum", "max"] as const) {
      expect(reduce(kernels, "float32", operation, many([Number.NaN, 1]))).toEqual(many([Number.NaN]).flat());
      expect(reduce(kernels, "float32", operation, many([1, Number.NaN]))).toEqual(many([Number.NaN]).flat());
    }
  });

  it("order −0 below +0 in a maximum, whichever comes first", () => {
    expect(reduce(kernels, "float32", "max", many([-0, 0]))).toEqual(many([0]).flat());
    expect(reduce(kernels, "float32", "max", many([0, -0]))).toEqual(many([0]).flat());
    expect(reduce(kernels, "float32", "max", many([-0, -0]))).toEqual(many([-0]).flat());
  });

  it("compute an exact maximum in int32", () => {
    expect(reduce(kernels, "int32", "max", many([2 ** 31 - 1, 2 ** 31 - 2]))).toEqual(
      many([2 ** 31 - 1]).flat(),
    );
    expect(reduce(kernels, "int32", "max", many([-5, -(2 ** 31)]))).toEqual(many([-5]).flat());
  });
});

/**
 * Any length, including several blocks of kernels; any starts; results separate from the operands or in place of one.
 */
const anyCase = fc.record({
  length: fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 3000 })),
  leftShift: fc.nat(17),
  rightShift: fc.nat(17),
  outShift: fc.nat(17),
  place: fc.constantFrom("apart", "left", "right"),
  seed: fc.integer(),
});

/** Finite and infinite floats of every magnitude, and both zeros; no NaN, whose payload is not defined. */
function fill(seed: number): void {
  for (let i = 0; i < words.length; i++) {
    words[i] = Math.imul(seed ^ Math.imul(i, 0x9e3779b1), 0x85ebca6b);
    if (Number.isNaN(floats[i])) words[i] = (words[i]! & 0x80000000) | (i & 1 ? 0x7f800000 : 0);
  }
}

const reductions = [
  ["float32", "sum"],
  ["float32", "max"],
  ["int32", "sum"],
  ["int32", "max"],
] as const;

describe("simd kernels", () => {
  it.each(reductions)("have the bits of the plain %s %s, and change nothing else", (type, operation) => {
    fc.assert(
      fc.property(anyCase, ({ length, leftShift, rightShift, outShift, place, seed }) => {
        const from = [left + leftShift, right + rightShift] as const;
        const to = { apart: out + outShift, left: from[0], right: from[1] }[place];
        const [expected, received] = [plain, simd].map((kernels) => {
          fill(seed);
          kernels[type][operation](to, from[0], from[1], length);
          return canonical(type);
        });
        expect(received!.equals(expected!)).toBe(true);
      }),
    );
  });

  it("move elements like the plain ones", () => {
    fc.assert(
      fc.property(anyCase, ({ length, leftShift, outShift, seed }) => {
        const [expected, received] = [plain, simd].map((kernels) => {
          fill(seed);
          kernels.move(out + outShift, left + leftShift, length);
          return canonical("int32");
        });
        expect(received!.equals(expected!)).toBe(true);
      }),
    );
  });

  it.each(reductions)(
    "have the bits of the plain %s %s of several operands, one after another",
    (type, operation) => {
      const cases = fc.record({
        count: fc.integer({ min: 2, max: 8 }),
        length: fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 1400 })),
        shift: fc.nat(17),
        gap: fc.nat(17),
        seed: fc.integer(),
      });
      fc.assert(
        fc.property(cases, ({ count, length, shift, gap, seed }) => {
          const first = 4096 + shift;
          const [expected, received] = [plain, simd].map((kernels) => {
            fill(seed);
            kernels.all[type][operation](64, first, length + gap, count, length);
            return canonical(type);
          });
          expect(received!.equals(expected!)).toBe(true);
        }),
      );
    },
  );

  it("reduce operands at the end of the largest memory, where one stride more would be past 2^32", () => {
    const large = sharedMemory(2 ** 32);
    const all = new Int32Array(large.buffer);
    const stride = 2 ** 28;
    const operands = [1, 2, 3].map((operand) => operand * stride + stride / 2);
    for (const [i, at] of operands.entries()) all.fill(10 ** i, at, at + 20);
    simdKernels(large).all.int32.sum(0, operands[0]!, stride, operands.length, 20);
    expect([...all.subarray(0, 21)]).toEqual([...new Array<number>(20).fill(111), 0]);
  });

  it("publish elements like the plain ones", () => {
    fc.assert(
      fc.property(anyCase, ({ length, leftShift, seed }) => {
        const [expected, received] = [plain, simd].map((kernels) => {
          fill(seed);
          offer(kernels, left + leftShift, length, seed, 7);
          return canonical("int32");
        });
        expect(received!.equals(expected!)).toBe(true);
      }),
    );
  });

  it.each([
    ["has come equally far with the same call", [7, 177, 100], 1],
    ["is a round ahead and had the same call", [8, 177, 100], 1],
    ["is late", [6, 177, 100], 0],
    ["has another call", [7, 178, 100], 0],
    ["has another length", [7, 177, 101], 0],
  ] as const)("recognize that another rank %s", (_, theirs, expected) => {
    for (const [late, other] of [
      [0, 2],
      [2, 0],
    ] as const) {
      post(other, [7, 177, 100]);
      post(late, theirs);
      expect(offer(simd, left, 100, 177, 7)).toBe(expected);
    }
  });

  it("distinguish rounds when their counter wraps around", () => {
    for (const rank of [0, 2]) post(rank, [2 ** 31 - 1, 177, 100]);
    expect(offer(simd, left, 100, 177, -(2 ** 31))).toBe(0);
    for (const rank of [0, 2]) post(rank, [-(2 ** 31), 177, 100]);
    expect(offer(simd, left, 100, 177, 2 ** 31 - 1)).toBe(1);
  });
});

/** All bytes of the memory, with one value for all NaNs: the bits of ∞ − ∞ depend on the processor. */
function canonical(type: "float32" | "int32"): Buffer {
  if (type === "int32") return Buffer.from(words.slice().buffer);
  return Buffer.from(floats.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer);
}
