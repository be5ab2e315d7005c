import type { Entry } from "@ringrank/policy";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import type { CompiledStep } from "./compiled-step.js";

/** An entry that is ready to run: names have been looked up, so a run only uses indices into a table of values. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Index of every value in the table. */
  readonly indices: ReadonlyMap<string, number>;
  readonly steps: readonly PlacedStep[];
  readonly attention: AttentionKernel | undefined;
}

/** A step and its context. */
export interface PlacedStep {
  readonly step: CompiledStep;
  /** Values that are not needed after it. */
  readonly drop: readonly number[];
  /** From the first later step that has one: what to do while this one waits for other ranks. */
  readonly meanwhile: (() => void) | undefined;
}
