import { wholeLines } from "../../kernels/cache-line.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { type FloatMatrix, floatRows } from "./float-matrix.js";
import type { SpacedRows } from "./spaced-rows.js";

/**
 * Columns of a strip: few enough for its products, of rows of 512, to stay in a core's L2 cache until they have been
 * used, and enough for the cost of a session's run not to count.
 */
const stripColumns = 256;

/** Multiplies rows by others of the same length, as a session does. */
export type MultiplyRows = (
  rows: Float32Array,
  others: Float32Array,
  length: number,
  into: Float32Array,
) => Promise<void>;

/** The products of some columns, which are rows of the matrices. */
export interface FloatStrip {
  readonly first: number;
  readonly columns: number;
  /** By matrix: `[rows, columns]`, valid until the next strip. */
  readonly blocks: readonly Float32Array[];
  /** `[rows]`: 0, 1, 2 and so on. */
  readonly order: Int32Array;
}

/**
 * Multiplies rows by matrices of the same size, strip by strip.
 *
 * @param kernels have the memory that blocks are in; undefined for ordinary memory
 * @param use called with each strip
 * @returns false, without any effect, if these kernels have no room
 */
export async function multiplyInStrips(
  { floats: x, count: rows, length }: SpacedRows,
  matrices: readonly FloatMatrix[],
  kernels: RankKernels | undefined,
  multiply: MultiplyRows,
  use: (strip: FloatStrip) => void,
): Promise<boolean> {
  const [{ rows: columns }] = matrices as readonly [FloatMatrix];
  const mostColumns = Math.min(stripColumns, columns);
  const parts = partsOf(kernels, [mostColumns * length, rows, ...matrices.map(() => rows * mostColumns)]);
  if (parts === undefined) return false;
  const [near, { buffer, byteOffset }, ...blocks] = parts as [Float32Array, Float32Array, ...Float32Array[]];
  const order = new Int32Array(buffer, byteOffset, rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  for (let first = 0; first < columns; first += stripColumns) {
    const count = Math.min(stripColumns, columns - first);
    const strip = blocks.map((block) => block.subarray(0, rows * count));
    for (const [at, matrix] of matrices.entries()) {
      await multiply(x, floatRows(matrix, first, count, length, near), length, strip[at]!);
      addBias(kernels, strip[at]!, matrix.bias?.subarray(first, first + count));
    }
    use({ first, columns: count, blocks: strip, order });
  }
  return true;
}

/** Scratch space, in parts that begin at cache lines. */
function partsOf(kernels: RankKernels | undefined, sizes: readonly number[]): Float32Array[] | undefined {
  const whole = sizes.map((size) => wholeLines(4 * size) / 4);
  const floats = whole.reduce((sum, size) => sum + size, 0);
  const room = kernels === undefined ? new Float32Array(floats) : kernels.scratch(floats);
  if (room === undefined) return undefined;
  let end = 0;
  return whole.map((size) => {
    end += size;
    return room.subarray(end - size, end);
  });
}

/** Adds it to every row. */
export function addBias(
  kernels: RankKernels | undefined,
  products: Float32Array,
  bias: Float32Array | undefined,
): void {
  if (bias === undefined) return;
  const { length: columns } = bias;
  if (kernels?.memory.holds(products) && kernels.memory.holds(bias))
    kernels.addRow(
      products.byteOffset,
      bias.byteOffset,
      products.byteOffset,
      products.length / columns,
      columns,
    );
  else for (let i = 0; i < products.length; i++) products[i]! += bias[i % columns]!;
}
