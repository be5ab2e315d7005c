import type { RankKernels } from "../../kernels/rank-kernels.js";
import { type BlockQuantized, blockSize, blocksOf } from "./blocks.js";
import type { Group } from "./groups.js";
import { runsWithin } from "./scale-runs.js";

/**
 * What there is to do around products of whole numbers. Activations are multiplied by as columns: their rows, in an
 * order of a group's own, filled up to 16.
 */
export interface GroupArithmetic {
  /**
   * Makes a group of activations whole numbers from −127 to 127, of unsigned bytes 128 more: x ≈ scale · (value +
   * rest / 254).
   *
   * @param x `[rows, width]`
   * @param into written to
   * @returns how many columns have rests: those of rows with elements that surpass the others by far, which come first
   */
  activations(x: Float32Array, width: number, group: Group, into: GroupActivations): number;
  /**
   * Makes a group of some rows of a matrix whole numbers from 1 to 255, of which 128 is 0, one scale for each row.
   *
   * @param first of the rows
   * @param out `[rows, elements of the group]`
   * @param scales `[rows]`
   */
  weights(matrix: BlockQuantized, first: number, group: Group, out: Uint8Array, scales: Float32Array): void;
  /**
   * `out[rows[c], i] = bias[i] + columns.scales[c] · scales[i] · sums[i, c]`
   *
   * @param sums `[count, columns filled up]`, and room for 3 rows more
   * @param scales `[count]`, and room for 3 more
   * @param out rows of `outWidth`
   */
  begin(
    sums: Int32Array,
    scales: Float32Array,
    columns: SumColumns,
    bias: Float32Array | undefined,
    out: Float32Array,
    outWidth: number,
    count: number,
  ): void;
  /** `out[rows[c], i] += factor · columns.scales[c] · scales[i] · sums[i, c]`, likewise. */
  add(
    sums: Int32Array,
    scales: Float32Array,
    columns: SumColumns,
    factor: number,
    out: Float32Array,
    outWidth: number,
    count: number,
  ): void;
}

/** Columns of sums: of a panel of activations. */
export interface SumColumns {
  readonly count: number;
  /** `[count]`, and more. */
  readonly scales: Float32Array;
  /** `[count]`, and more: which row of what is made is in which column. */
  readonly rows: Int32Array;
}

/** Whole numbers of activations. */
export type ActivationBytes = Int8Array | Uint8Array;

/** A group of activations as whole numbers. */
export interface GroupActivations {
  /** By panel, `[elements, its columns filled up]`. */
  readonly values: ActivationBytes;
  /** Likewise, of the columns that have rests. */
  readonly rests: ActivationBytes;
  /** `[columns]` */
  readonly scales: Float32Array;
  /** `[columns]`: which row is in which column */
  readonly order: Int32Array;
  /** What it is made in: of {@link scratchFloats}. */
  readonly scratch: Float32Array;
}

/** Rests are so many times finer than values. */
export const restFactor = 1 / 254;

/**
 * A row has rests where its largest element surpasses its root mean square more often than so. Of a bell-shaped row of
 * 1024, that is 3.4 times; of what a gate has multiplied, ten times, and rounding such rows once changes logits by
 * twice as much as rounding in blocks of 32 does.
 */
export const mostOverMean = 5;

/** `rows`, filled up to columns of whole tiles. */
export function columnsOf(rows: number): number {
  return Math.ceil(rows / 16) * 16;
}

/** Floats that activations are made whole numbers in: assembly/products/quantized/group-activations.ts. */
export function scratchFloats(rows: number, groupBlocks: number): number {
  return (128 * (groupBlocks * blockSize + 64) + 4 * blockSize) / 4 + rows;
}

/** By kernels, where all lies in their memory. */
export function kernelArithmetic(kernels: RankKernels, bits: 4 | 8): GroupArithmetic {
  const { groupWeights } = kernels.products[bits];
  return {
    activations: (x, width, { firstBlock, blocks }, { values, rests, scales, order, scratch }) => {
      const first = firstBlock * blockSize;
      return kernels.groupActivations(
        x.byteOffset + 4 * first,
        x.length / width,
        4 * width,
        4 * Math.min(blocks * blockSize, width - first),
        values instanceof Uint8Array ? 128 : 0,
        mostOverMean,
        values.byteOffset,
        rests.byteOffset,
        scales.byteOffset,
        order.byteOffset,
        scratch.byteOffset,
      );
    },
    weights: ({ width, values, scales, scaleRuns }, first, { firstBlock, blocks }, out, outScales) => {
      const rowBlocks = blocksOf(width);
      const rowBytes = blocks * blockSize;
      const scaleBytes = scales.BYTES_PER_ELEMENT;
      for (const run of runsWithin(scaleRuns, first, out.length / rowBytes, rowBlocks)) {
        groupWeights(
          values.byteOffset + (run.first * rowBlocks + firstBlock) * 4 * bits,
          scales.byteOffset + (run.at + firstBlock * run.step) * scaleBytes,
          scaleBytes,
          rowBlocks,
          run.step * scaleBytes,
          blocks,
          out.byteOffset + (run.first - first) * rowBytes,
          outScales.byteOffset + (run.first - first) * 4,
          run.rows,
        );
      }
    },
    begin: (sums, scales, columns, bias, out, outWidth, count) => {
      kernels.beginSums(
        sums.byteOffset,
        scales.byteOffset,
        columns.scales.byteOffset,
        columns.rows.byteOffset,
        bias?.byteOffset ?? 0,
        out.byteOffset,
        4 * outWidth,
        columns.count,
        count,
      );
    },
    add: (sums, scales, columns, factor, out, outWidth, count) => {
      kernels.addSums(
        sums.byteOffset,
        scales.byteOffset,
        columns.scales.byteOffset,
        factor,
        columns.rows.byteOffset,
        out.byteOffset,
        4 * outWidth,
        columns.count,
        count,
      );
    },
  };
}
