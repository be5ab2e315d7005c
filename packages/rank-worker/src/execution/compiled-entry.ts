import type { Entry } from "@ringrank/policy";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import type { InputSizes } from "./input-sizes.js";
import type { CompiledStep } from "./steps/compiled-step.js";

/** An entry that is ready to run: names have been looked up, so a run only uses indices into a table of values. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Number of values in the table. The entry's inputs come first, in their order. */
  readonly values: number;
  readonly sizes: InputSizes;
  /** Index in the table of each of the entry's outputs; undefined for those that this rank has no part of. */
  readonly outputs: readonly (number | undefined)[];
  readonly steps: readonly PlacedStep[];
  /** After this many steps, everything that is kept for the next call has been computed. */
  readonly cacheSteps: number;
  /** By output: after how many steps it has been computed, if that is before the last one. */
  readonly outputSteps: ReadonlyMap<string, number>;
  readonly attention: AttentionKernel | undefined;
}

/** A step and its context. */
export interface PlacedStep {
  readonly step: CompiledStep;
  /** Values that are not needed after it. */
  readonly drop: readonly number[];
  /** From the first later step that has one: what to do while this one waits for other ranks. */
  readonly meanwhile?: (() => void) | undefined;
}
