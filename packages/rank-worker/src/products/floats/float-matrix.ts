import type { Matrix, Output } from "../matrix.js";
import { spaceRows } from "./spaced-rows.js";

export interface FloatMatrix extends Matrix {
  /** `[rows, width]`: float32, or bfloat16, as its bits. */
  readonly values: Float32Array | Uint16Array;
}

/** Whether matrices of a step are bfloat16: all of them, except those that kernels cannot read and are float32 then. */
export function areNarrow(outputs: readonly Output<FloatMatrix>[]): boolean {
  return outputs.some(({ matrices }) => matrices[0]?.values instanceof Uint16Array);
}

/** Joins matrices that are adjacent in memory into one; their results are adjacent, too. */
export function joined([first, ...others]: readonly FloatMatrix[]): readonly FloatMatrix[] {
  const matrices = first === undefined ? [] : [first];
  for (const next of others) {
    const last = matrices.at(-1)!;
    const values = oneAfterTheOther(last.values, next.values);
    const haveBiases = last.bias !== undefined && next.bias !== undefined;
    const bias = haveBiases ? oneAfterTheOther(last.bias, next.bias) : undefined;
    const areAlike = haveBiases ? bias !== undefined : last.bias === next.bias;
    if (values === undefined || !areAlike) matrices.push(next);
    else matrices[matrices.length - 1] = { ...last, values, bias, rows: last.rows + next.rows };
  }
  return matrices;
}

/** Both arrays as one, if they are adjacent and of one type. */
function oneAfterTheOther<A extends Float32Array | Uint16Array>(one: A, other: A): A | undefined {
  const isBehind = one.buffer === other.buffer && one.byteOffset + one.byteLength === other.byteOffset;
  if (!isBehind || one.constructor !== other.constructor) return undefined;
  const make = one.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => A;
  return new make(one.buffer, one.byteOffset, one.length + other.length);
}

/** Whether rows of a matrix can be read as float32 of the given length where they are. */
export function isInPlace(
  matrix: FloatMatrix,
  length: number,
): matrix is FloatMatrix & { values: Float32Array } {
  return matrix.values instanceof Float32Array && length === matrix.width;
}

/**
 * Some rows of a matrix as float32 of the given length.
 *
 * @param near room for them, which is used unless they are {@link isInPlace}
 */
export function floatRows(
  matrix: FloatMatrix,
  first: number,
  count: number,
  length: number,
  near: Float32Array,
): Float32Array {
  const { width, kernels } = matrix;
  const [start, end] = [first * width, (first + count) * width];
  if (isInPlace(matrix, length)) return matrix.values.subarray(start, end);
  // Kernels only reach their own memory, which the matrix of a very large model need not share with the room.
  const room = kernels === undefined || kernels.memory.holds(near) ? near : kernels.scratch(count * length);
  const floats = (room ?? near).subarray(0, count * length);
  spaceRows(matrix.values.subarray(start, end), width, floats, length, kernels);
  return floats;
}
