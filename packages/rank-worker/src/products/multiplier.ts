import type { KernelCall } from "../kernels/kernel-call.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import type { Epilogue } from "./epilogue.js";
import type { HeadStart } from "./head-start.js";

/** Selects one of a step's segments, by the type of the activations that it multiplies. */
export type SegmentType = "float32" | "int8" | "uint8";

/** Runs a segment of the step. Outputs named in `into` are written there. */
export type RunSegment = (type: SegmentType, feeds: Feeds, into: Feeds) => Fetched | Promise<Fetched>;

/**
 * @param x the rows
 * @param target receives the result, in the memory of the epilogue's kernels
 * @returns false, without writing anything, if there is no workspace
 */
export type MultiplyInto = (x: Float32Array, target: Float32Array, run: RunSegment) => Promise<boolean>;

/** Multiplies rows by the matrices of one product step, in a way that suits their number and the kind of matrix. */
export interface Multiplier {
  /** By output of the step: floats of a row. */
  readonly widths: readonly number[];
  /** For few rows; undefined if kernels do not multiply. */
  readonly headStart: HeadStart | undefined;
  /**
   * Multiplies a few rows, by kernels on the weights as they are in memory.
   *
   * @param outputs receive the results
   * @returns false if another way must be used, because there are too many rows or no workspace
   */
  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean;
  /** What the last {@link multiplyFew} did, if it was nothing but calls of these kernels. */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined;
  /** Multiplies any number of rows, by a session to which the matrices are fed. */
  multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void>;
  /**
   * Returns a function that multiplies this many rows and only writes the epilogue's result; undefined if product and
   * epilogue must run one after the other.
   */
  withEpilogue(rows: number, epilogue: Epilogue): MultiplyInto | undefined;
}
