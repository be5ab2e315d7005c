import type { Matrix } from "../matrix.js";
import type { Scales } from "./scales.js";

/** Elements of a row of a matrix that share a scale. */
export const blockSize = 32;

/** Blocks of a row of `width` elements; the last one may be partial. */
export function blocksOf(width: number): number {
  return Math.ceil(width / blockSize);
}

/**
 * Rows of a matrix as a MatMulNBits has them, `scale[n, ⌊k / 32⌋] · (values[n, k] − 2 ** (bits − 1))`, but for the
 * order of the scales.
 */
export interface BlockQuantized extends Scales {
  /** Elements of a row. */
  readonly width: number;
  /** `[rows, blocks, 16 or 32]`. Of 4 bits, the even element is in a byte's low half. */
  readonly values: Uint8Array;
}

export type QuantizedMatrix = Matrix & BlockQuantized;
