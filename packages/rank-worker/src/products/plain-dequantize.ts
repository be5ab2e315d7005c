/** Elements of a row of a matrix that share a scale. */
export const blockSize = 32;

/** Blocks of a row of `width` elements; the last one may be partial. */
export function blocksOf(width: number): number {
  return Math.ceil(width / blockSize);
}

/** Rows of a matrix as a MatMulNBits has them. */
export interface BlockQuantized {
  readonly bits: 4 | 8;
  /** Elements of a row. */
  readonly width: number;
  /** `[rows, blocks, 16 or 32]`. Of 4 bits, the even element is in a byte's low half. */
  readonly values: Uint8Array;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
}

/**
 * `out[n, k] = scales[n, ⌊k / 32⌋] · (values[n, k] − zero)`, as assembly/dequantize.ts.
 *
 * @param first the matrix's row that becomes the first one of `out`
 * @param out whole rows
 */
export function plainDequantize(matrix: BlockQuantized, first: number, out: Float32Array): void {
  const { bits, width, values, scales } = matrix;
  const blocks = blocksOf(width);
  const rowBytes = blocks * 4 * bits;
  const zero = 2 ** (bits - 1);
  for (let at = 0, row = first; at < out.length; at += width, row++) {
    for (let k = 0; k < width; k++) {
      const byte = values[row * rowBytes + (bits === 8 ? k : k >> 1)]!;
      const value = bits === 8 ? byte : k % 2 === 0 ? byte & 15 : byte >> 4;
      out[at + k] = scales[row * blocks + Math.floor(k / blockSize)]! * (value - zero);
    }
  }
}
