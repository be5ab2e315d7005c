import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import type { Epilogue } from "./epilogue.js";
import type { HeadStart } from "./head-start.js";

/** Which of a step's segments: by the type of the activations that it multiplies. */
export type SegmentType = "float32" | "int8" | "uint8";

/** Runs a segment of the step; what `into` names it writes there. */
export type RunSegment = (type: SegmentType, feeds: Feeds, into: Feeds) => Fetched | Promise<Fetched>;

/**
 * @param x rows
 * @param target to write to, in the memory of the epilogue's kernels
 * @returns false, and nothing is written, where there is no room to work in
 */
export type MultiplyInto = (x: Float32Array, target: Float32Array, run: RunSegment) => Promise<boolean>;

/** Multiplies rows by the matrices of one product step, by whatever suits their number and the matrices' kind. */
export interface Multiplier {
  /** By place in the step's outputs: floats of a row. */
  readonly widths: readonly number[];
  /** For few rows; undefined where kernels do not multiply. */
  readonly headStart: HeadStart | undefined;
  /**
   * Few rows, by kernels on weights as they lie in memory.
   *
   * @param outputs to write to
   * @returns false where it has to be done otherwise: there are too many rows, or there is no room to work in
   */
  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean;
  /** Any number of rows, by a session to which the matrices are fed. */
  multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void>;
  /**
   * How so many rows are multiplied where only what an epilogue makes of the products is written; undefined where that
   * has to be one after the other.
   */
  withEpilogue(rows: number, epilogue: Epilogue): MultiplyInto | undefined;
}
