import type { RankKernels } from "../../kernels/rank-kernels.js";
import { copyRows } from "../copy-rows.js";
import type { Placed } from "../placed.js";
import type { FloatMatrix } from "./float-matrix.js";

/** A step's products of few rows, by the kernel. */
export class FewRows {
  readonly #width: number;
  readonly #memories: ReadonlyMap<RankKernels, readonly Placed<FloatMatrix>[]>;

  constructor(width: number, memories: ReadonlyMap<RankKernels, readonly Placed<FloatMatrix>[]>) {
    this.#width = width;
    this.#memories = memories;
  }

  /** @returns false where there is no room to work in */
  multiply(x: Float32Array, targets: readonly Float32Array[]): boolean {
    for (const [kernels, placed] of this.#memories) {
      if (!this.#multiplyIn(kernels, placed, x, targets)) return false;
    }
    return true;
  }

  #multiplyIn(
    kernels: RankKernels,
    placed: readonly Placed<FloatMatrix>[],
    x: Float32Array,
    targets: readonly Float32Array[],
  ): boolean {
    const rows = x.length / this.#width;
    const isElsewhere = (data: Float32Array) => !kernels.memory.holds(data);
    // One behind the other: rows that lie elsewhere, and what a matrix makes for elsewhere.
    const copied = isElsewhere(x) ? x.length : 0;
    const made = placed.map(({ matrix, output }) => (isElsewhere(targets[output]!) ? rows * matrix.rows : 0));
    const needed = copied + Math.max(...made);
    const scratch = needed === 0 ? undefined : kernels.scratch(needed);
    if (scratch === undefined && needed > 0) return false;
    if (copied > 0) scratch!.set(x);
    const from = copied > 0 ? scratch!.byteOffset : x.byteOffset;
    for (const { matrix, output } of placed) {
      const { values, bias, width, rows: count, offset } = matrix;
      const target = targets[output]!;
      const room = isElsewhere(target) ? scratch!.subarray(copied, copied + rows * count) : undefined;
      const out = room?.byteOffset ?? target.byteOffset + 4 * offset;
      const outWidth = room === undefined ? target.length / rows : count;
      const added = bias?.byteOffset ?? 0;
      kernels.multiplyFloats(from, rows, values.byteOffset, added, out, 4 * outWidth, count, width);
      if (room !== undefined) copyRows(room, count, target, target.length / rows, offset);
    }
    return true;
  }
}
