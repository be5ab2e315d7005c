import type { Matrix } from "../matrix.js";
import type { Scales } from "./scales.js";

/** Elements of a matrix row that share a scale. */
export const blockSize = 32;

/** Number of blocks in a row of `width` elements; the last one may be partial. */
export function blocksOf(width: number): number {
  return Math.ceil(width / blockSize);
}

/**
 * Rows of a matrix in the layout of MatMulNBits, `scale[n, ⌊k / 32⌋] · (values[n, k] − 2 ** (bits − 1))`, except for
 * the order of the scales.
 */
export interface BlockQuantized extends Scales {
  /** Elements of a row. */
  readonly width: number;
  /** `[rows, blocks, 16 or 32]`. With 4 bits, the even element is in the low half of a byte. */
  readonly values: Uint8Array;
}

export type QuantizedMatrix = Matrix & BlockQuantized;
