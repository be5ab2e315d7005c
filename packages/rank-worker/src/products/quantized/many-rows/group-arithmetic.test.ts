import "../../../../../../test/support/optimized-kernels.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../../../kernels/rank-kernels.js";
import { blockSize, blocksOf } from "../blocks.js";
import { scalesByRow } from "../scale-runs.js";
import { StreamedScales } from "../streamed-scales.js";
import {
  type ActivationBytes,
  columnsOf,
  type GroupActivations,
  restFactor,
  type SumColumns,
  scratchFloats,
} from "./group-arithmetic.js";
import { type Group, groupsOf } from "./groups.js";
import { kernelArithmetic } from "./kernel-arithmetic.js";
import { Layout } from "./layout.js";
import { type Panel, panelColumns, panelsOf } from "./panels.js";
import { plainArithmetic } from "./plain-arithmetic.js";

/** Rows of activations: more than a panel has. */
const mostRows = 150;
const mostColumns = columnsOf(mostRows);

const anyCase = fc.record({
  rows: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 110, max: mostRows })),
  width: fc.integer({ min: 1, max: 130 }),
  groupBlocks: fc.integer({ min: 1, max: 5 }),
  count: fc.integer({ min: 1, max: 23 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe.each(["plain", "fused"] as const)("the %s kernel", (build) => {
  const kernels = new RankKernels(64, [kernelFiles[build]]);
  const layout = new Layout();
  const placed = {
    x: layout.place(Float32Array, mostRows * 130),
    values: layout.place(Int8Array, 160 * mostColumns),
    rests: layout.place(Int8Array, 160 * mostColumns),
    scales: layout.place(Float32Array, mostColumns),
    order: layout.place(Int32Array, mostColumns),
    scratch: layout.place(Float32Array, scratchFloats(mostRows, 5)),
    packed: layout.place(Uint8Array, 23 * 160),
    blockScales: layout.place(Float32Array, 23 * 5),
    weights: layout.place(Uint8Array, 23 * 160),
    weightScales: layout.place(Float32Array, 26),
    sums: layout.place(Int32Array, 26 * mostColumns),
    out: layout.place(Float32Array, mostRows * 25),
  };
  const memory = kernels.memory.floats(layout.floats)!;
  const [x, packed, blockScales] = [placed.x(memory), placed.packed(memory), placed.blockScales(memory)];
  const [weights, weightScales] = [placed.weights(memory), placed.weightScales(memory)];
  const activations: GroupActivations = {
    values: placed.values(memory),
    rests: placed.rests(memory),
    scales: placed.scales(memory),
    order: placed.order(memory),
    scratch: placed.scratch(memory),
  };

  function fill(seed: number): void {
    const random = (index: number) => ((seed + index) * 48_271) % 65_537;
    for (const [i] of x.entries()) x[i] = ((random(i) - 32_768) / 1000) * 2 ** (Math.floor(i / 40) % 5);
    // Some rows, or most, with an element far larger than the others.
    for (let i = 0; i < x.length; i += seed % 3 === 0 ? 100 : 300) x[i] = 10_000;
    for (const [i] of packed.entries()) packed[i] = random(i);
    // Every other time, scales that bfloat16 can represent.
    const unit = seed % 2 === 0 ? 1 : 1.001;
    for (const [i] of blockScales.entries()) blockScales[i] = ((random(i) % 250) - 125) * unit;
  }

  it.each([Int8Array, Uint8Array])(
    "rounds activations to the same integers as plain code, in %o",
    (Bytes) => {
      const inBytes = (bytes: ActivationBytes) =>
        new Bytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
      const made = { ...activations, values: inBytes(activations.values), rests: inBytes(activations.rests) };
      let rounded = { once: 0, twice: 0 };
      let mostTwice = 0;
      fc.assert(
        fc.property(anyCase, ({ rows, width, groupBlocks, seed }) => {
          fill(seed);
          const part = x.subarray(0, rows * width);
          const columns = columnsOf(rows);
          for (const group of groupsIn(width, groupBlocks)) {
            const elements = Math.min(group.blocks, blocksOf(width) - group.firstBlock) * blockSize;
            const expected: GroupActivations = {
              values: new Bytes(elements * columns),
              rests: new Bytes(elements * columns),
              scales: new Float32Array(columns),
              order: new Int32Array(columns),
              scratch: new Float32Array(0),
            };
            const twice = kernelArithmetic(kernels, 4).activations(part, width, group, made);
            expect(twice).toBe(plainArithmetic(4).activations(part, width, group, expected));
            rounded = { once: rounded.once + rows - twice, twice: rounded.twice + twice };
            mostTwice = Math.max(mostTwice, twice);
            expect(isSame(made.order.subarray(0, rows), expected.order.subarray(0, rows))).toBe(true);
            expect(isSame(made.scales.subarray(0, columns), expected.scales)).toBe(true);
            expect(isSame(made.values.subarray(0, elements * columns), expected.values)).toBe(true);
            for (const panel of panelsOf(twice)) {
              const isRest = (_: number, at: number) => at % columnsOf(panel.columns) < panel.columns;
              const [rests, expectedRests] = [made, expected].map(({ rests }) => {
                const start = elements * panel.first;
                return rests.subarray(start, start + elements * columnsOf(panel.columns)).filter(isRest);
              });
              expect(isSame(rests!, expectedRests!)).toBe(true);
            }
          }
        }),
        // And more rows that are rounded twice than a panel has.
        { numRuns: 40, examples: [[{ rows: mostRows, width: 100, groupBlocks: 4, count: 1, seed: 3 }]] },
      );
      expect(mostTwice).toBeGreaterThan(panelColumns);
      expect(Math.min(rounded.once, rounded.twice)).toBeGreaterThan(10);
    },
  );

  it.each([4, 8] as const)("converts weights of %i bits to the same integers as plain code", (bits) => {
    fc.assert(
      fc.property(anyCase, ({ width, count, groupBlocks, seed }) => {
        fill(seed);
        const byRow = { width, values: packed, scales: blockScales.slice(), scaleRuns: scalesByRow(count) };
        const scales = blockScales.subarray(0, count * blocksOf(width));
        const inStreams = {
          ...byRow,
          ...new StreamedScales().of({ rows: count, width, bits, scales }, kernels)!,
        };
        // A strip from the middle of the matrix.
        const first = seed % count;
        const rows = count - first;
        for (const group of groupsIn(width, groupBlocks)) {
          const size = rows * group.blocks * blockSize;
          const made = weights.subarray(0, size);
          const [expected, expectedScales] = [new Uint8Array(size), new Float32Array(rows)];
          plainArithmetic(bits).weights(byRow, first, group, expected, expectedScales);
          for (const [arithmetic, matrix] of [
            [kernelArithmetic(kernels, bits), inStreams],
            [plainArithmetic(bits), inStreams],
          ] as const) {
            made.fill(7);
            arithmetic.weights(matrix, first, group, made, weightScales);
            expect(isSame(made, expected)).toBe(true);
            expect(isSame(weightScales.subarray(0, rows), expectedScales)).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each([true, false])("adds sums like plain code, with a bias: %s", (hasBias) => {
    const [sums, out] = [placed.sums(memory), placed.out(memory)];
    const bias = hasBias ? blockScales.subarray(50, 50 + 23) : undefined;
    fc.assert(
      fc.property(anyCase, ({ rows, count, seed }) => {
        fill(seed);
        for (const [i] of sums.entries()) sums[i] = ((seed + i) * 48_271) % 2_000_003;
        activations.scales.set(x.subarray(0, mostColumns));
        weightScales.set(blockScales.subarray(0, 26));
        // Rows in another order.
        activations.order.set(Array.from({ length: rows }, (_, at) => rows - 1 - at));
        const expected = new Float32Array(mostRows * 25).fill(7);
        out.fill(7);
        for (const [arithmetic, to] of [
          [kernelArithmetic(kernels, 4), out],
          [plainArithmetic(4), expected],
        ] as const) {
          const sumsOf = (panel: Panel) => {
            return { sums, scales: weightScales, columns: sumColumns(activations, panel), count };
          };
          for (const panel of panelsOf(rows)) {
            arithmetic.begin(sumsOf(panel), bias, { out: to, outWidth: 25 });
            arithmetic.add(sumsOf(panel), 1, { out: to, outWidth: 25 });
          }
          for (const panel of panelsOf(Math.ceil(rows / 2))) {
            arithmetic.add(sumsOf(panel), restFactor, { out: to, outWidth: 25 });
          }
        }
        // Each addition rounds once or twice, of numbers that may have different signs.
        const most = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(out).toBeAllclose(expected, { rtol: 0, atol: 5e-7 * most });
      }),
      { numRuns: 40 },
    );
  });
});

function sumColumns({ scales, order }: GroupActivations, { first, columns }: Panel): SumColumns {
  return { count: columns, scales: scales.subarray(first), rows: order.subarray(first, first + columns) };
}

/** Consecutive groups of this many blocks. */
function groupsIn(width: number, groupBlocks: number): Group[] {
  const blocks = blocksOf(width);
  return Array.from({ length: Math.ceil(blocks / groupBlocks) }, (_, at) => ({
    firstBlock: at * groupBlocks,
    blocks: Math.min(groupBlocks, blocks - at * groupBlocks),
  }));
}

describe("a row's groups", () => {
  it.each([
    [20, [1]],
    [1024, [32]],
    [1056, [17, 16]],
    [2048, [32, 32]],
    [2080, [22, 22, 21]],
  ])("of %i elements have %j blocks", (width, blocks) => {
    const groups = groupsOf(width);
    expect(groups.map(({ blocks }) => blocks)).toEqual(blocks);
    for (const [at, { firstBlock }] of groups.entries()) {
      expect(firstBlock).toBe(blocks.slice(0, at).reduce((sum, count) => sum + count, 0));
    }
  });
});

function isSame(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  return one.length === other.length && Array.from(one).every((value, at) => value === other[at]);
}
