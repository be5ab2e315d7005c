import type { ScaleRun } from "./scale-runs.js";

/** A scale for each block: float32, or bfloat16, which is the upper half of a float32 whose lower half is zero. */
export type ScaleArray = Float32Array | Uint16Array;

/** Scales, and where the scales of each row are; covers all rows, in order. */
export interface Scales {
  readonly scales: ScaleArray;
  readonly scaleRuns: readonly ScaleRun[];
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

export function scaleAt(scales: ScaleArray, index: number): number {
  if (scales instanceof Float32Array) return scales[index]!;
  word[0] = scales[index]! << 16;
  return float[0]!;
}
