import type { RankKernels } from "../../../kernels/rank-kernels.js";
import { type BlockQuantized, blockSize, blocksOf } from "../blocks.js";
import { runsWithin } from "../scale-runs.js";
import type { Group } from "./groups.js";

/**
 * The work around integer products. Activations are multiplied as columns: their rows, in an order of each group's own,
 * padded to a multiple of 16.
 */
export interface GroupArithmetic {
  /**
   * Converts a group of activations to integers from −127 to 127 (plus 128 for unsigned bytes): x ≈ scale · (value +
   * rest / 254).
   *
   * @param x `[rows, width]`
   * @param into receives the result
   * @returns how many columns have rests: the first ones, for rows with elements that are far larger than the others
   */
  activations(x: Float32Array, width: number, group: Group, into: GroupActivations): number;
  /**
   * Converts a group of some rows of a matrix to integers from 1 to 255, in which 128 means 0, with one scale per row.
   *
   * @param first the first of the rows
   * @param out `[rows, elements of the group]`
   * @param scales `[rows]`
   */
  weights(matrix: BlockQuantized, first: number, group: Group, out: Uint8Array, scales: Float32Array): void;
  /**
   * `out[rows[c], i] = bias[i] + columns.scales[c] · scales[i] · sums[i, c]`
   *
   * @param sums `[count, padded columns]`, with room for 3 more rows
   * @param scales `[count]`, with room for 3 more
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
  /** `out[rows[c], i] += factor · columns.scales[c] · scales[i] · sums[i, c]`, with the same parameters. */
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

/** The columns of sums, which are a panel of activations. */
export interface SumColumns {
  readonly count: number;
  /** `[count]`, possibly longer. */
  readonly scales: Float32Array;
  /** `[count]`, possibly longer: the row of the result that each column belongs to. */
  readonly rows: Int32Array;
}

/** Activations as integers. */
export type ActivationBytes = Int8Array | Uint8Array;

/** A group of activations as integers. */
export interface GroupActivations {
  /** By panel, `[elements, its padded columns]`. */
  readonly values: ActivationBytes;
  /** The same for the columns that have rests. */
  readonly rests: ActivationBytes;
  /** `[columns]` */
  readonly scales: Float32Array;
  /** `[columns]`: the row in each column. */
  readonly order: Int32Array;
  /** Workspace of {@link scratchFloats}. */
  readonly scratch: Float32Array;
}

/** Rests are finer than values by this factor. */
export const restFactor = 1 / 254;

/**
 * A row has rests if the ratio of its largest element to its root mean square exceeds this. The ratio is 3.4 for a
 * normally distributed row of 1024, and ten for the result of a gate. Rounding the latter only once changes logits
 * twice as much as rounding in blocks of 32.
 */
export const mostOverMean = 5;

/** `rows`, padded to columns of whole tiles. */
export function columnsOf(rows: number): number {
  return Math.ceil(rows / 16) * 16;
}

/** Workspace for converting activations to integers, in floats: assembly/products/quantized/many-rows/group-activations.ts. */
export function scratchFloats(rows: number, groupBlocks: number): number {
  return (128 * (groupBlocks * blockSize + 64) + 4 * blockSize) / 4 + rows;
}

/** By kernels, if everything is in their memory. */
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
