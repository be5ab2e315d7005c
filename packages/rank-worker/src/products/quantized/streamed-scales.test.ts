import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RankKernels } from "../../kernels/rank-kernels.js";
import { blocksOf } from "./blocks.js";
import { runsWithin } from "./scale-runs.js";
import { scaleAt } from "./scales.js";
import { StreamedScales } from "./streamed-scales.js";

const kernels = new RankKernels(64);

const anyMatrix = fc.record({
  rows: fc.integer({ min: 1, max: 300 }),
  width: fc.integer({ min: 1, max: 200 }),
  bits: fc.constantFrom(4 as const, 8 as const),
});

describe("scales in the order of streams", () => {
  it.each([
    ["float32", numberOf, Float32Array],
    ["bfloat16", shortNumberOf, Uint16Array],
  ] as const)("can be located by the runs of their rows, in %s", (_, number, Type) => {
    fc.assert(
      fc.property(anyMatrix, fc.nat(), (shape, seed) => {
        const { scales, scaleRuns } = streamed(shape, number);
        expect(scales).toBeInstanceOf(Type);
        const blocks = blocksOf(shape.width);
        const first = seed % shape.rows;
        const found = runsWithin(scaleRuns, first, shape.rows - first, blocks).flatMap(({ rows, at, step }) =>
          Array.from({ length: rows * blocks }, (_, index) => scaleAt(scales, at + index * step)),
        );
        // Each scale is a number of its own.
        expect(found).toEqual(Array.from(found, (_, index) => number(first * blocks + index)));
        expect(found).toHaveLength((shape.rows - first) * blocks);
        kernels.memory.release(scales);
      }),
      { numRuns: 60 },
    );
  });

  it("are adjacent for rows that are multiplied in parallel", () => {
    // Rows of 16 bytes: eight streams of two rows, whose distance cannot be half a page; then four of one; then one
    // row.
    const { scales } = streamed({ rows: 21, width: 32, bits: 4 });
    expect([...scales]).toEqual(
      [...[0, 2, 4, 6, 8, 10, 12, 14], ...[1, 3, 5, 7, 9, 11, 13, 15], ...[16, 17, 18, 19], 20].map(numberOf),
    );
    kernels.memory.release(scales);
  });

  it("are float32 if it can represent all but one", () => {
    const scales = kernels.memory.floats(16)!.fill(0.5);
    scales[15] = 0.1;
    const made = new StreamedScales().of({ rows: 16, width: 32, bits: 4, scales }, kernels)!;
    expect(made.scales).toBeInstanceOf(Float32Array);
  });

  it("are reordered once, however many programs have them", () => {
    const scales = numbered(16);
    const matrix = { rows: 16, width: 32, bits: 4, scales } as const;
    const once = new StreamedScales();
    const first = once.of(matrix, kernels);
    const as = [...scales];
    expect(once.of(matrix, kernels)).toBe(first);
    expect([...scales]).toEqual(as);
    kernels.memory.release(scales);
  });

  it("are a copy if a session is fed the original ones", () => {
    const scales = numbered(16);
    const made = new StreamedScales([{ data: scales }]).of(
      { rows: 16, width: 32, bits: 4, scales },
      kernels,
    )!;
    expect([...scales]).toEqual(Array.from(scales, (_, index) => numberOf(index)));
    expect([...made.scales.subarray(0, 8)]).toEqual([0, 2, 4, 6, 8, 10, 12, 14].map(numberOf));
    for (const data of [scales, made.scales]) kernels.memory.release(data);
  });

  it("are undefined if there is no room for that copy", () => {
    const full = new RankKernels(1);
    while (full.memory.unclearedFloats(16) !== undefined);
    const scales = new Float32Array(16);
    const matrix = { rows: 16, width: 32, bits: 4, scales } as const;
    expect(new StreamedScales([{ data: scales }]).of(matrix, full)).toBeUndefined();
  });
});

/** A scale that no other block has, and that bfloat16 cannot represent. */
function numberOf(block: number): number {
  return block + 1 + 2 ** -9;
}

/** A scale that no other block has, and that bfloat16 can represent: 1, and the next larger ones. */
function shortNumberOf(block: number): number {
  return scaleAt(Uint16Array.of(0x3f80 + block), 0);
}

function numbered(count: number, number: (block: number) => number = numberOf): Float32Array {
  const scales = kernels.memory.floats(count)!;
  for (const index of scales.keys()) scales[index] = number(index);
  return scales;
}

function streamed(
  { rows, width, bits }: { rows: number; width: number; bits: 4 | 8 },
  number: (block: number) => number = numberOf,
) {
  const scales = numbered(rows * blocksOf(width), number);
  return new StreamedScales().of({ rows, width, bits, scales }, kernels)!;
}
