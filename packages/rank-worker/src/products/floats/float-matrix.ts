import type { Matrix } from "../matrix.js";

export interface FloatMatrix extends Matrix {
  /** `[rows, width]`. */
  readonly values: Float32Array;
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

/** Both arrays as one, if they are adjacent. */
function oneAfterTheOther(one: Float32Array, other: Float32Array): Float32Array | undefined {
  const isBehind = one.buffer === other.buffer && one.byteOffset + one.byteLength === other.byteOffset;
  return isBehind
    ? new Float32Array(one.buffer as ArrayBuffer, one.byteOffset, one.length + other.length)
    : undefined;
}
