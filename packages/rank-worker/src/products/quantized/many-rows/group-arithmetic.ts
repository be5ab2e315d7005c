import { type BlockQuantized, blockSize } from "../blocks.js";
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
  /** `out[rows[c], i] = bias[i] + columns.scales[c] · scales[i] · sums[i, c]` */
  begin(group: GroupSums, bias: Float32Array | undefined, to: SumRows): void;
  /** `out[rows[c], i] += factor · columns.scales[c] · scales[i] · sums[i, c]` */
  add(group: GroupSums, factor: number, to: SumRows): void;
}

/** Integer products of a group of some rows of a matrix and of a panel of activations. */
export interface GroupSums {
  /** `[count, padded columns]`, with room for 3 more rows. */
  readonly sums: Int32Array;
  /** Of the matrix's rows: `[count]`, with room for 3 more. */
  readonly scales: Float32Array;
  readonly columns: SumColumns;
  /** The number of rows of the matrix. */
  readonly count: number;
}

/** The rows that sums are added to: one for each row of activations. */
export interface SumRows {
  /** Begins with the first sum of the first row. */
  readonly out: Float32Array;
  /** Floats of a row. */
  readonly outWidth: number;
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
