import type { Tensor } from "../../tensors/tensor.js";
import type { PlacedStep } from "../compiled-entry.js";

/** The experts of one layer, ready to run over a table of their own. */
export interface CompiledExperts {
  readonly steps: readonly PlacedStep[];
  readonly current: CurrentExpert;
  readonly count: number;
  /** Size of the table. */
  readonly values: number;
  /** Index of the expert's rows. */
  readonly rows: number;
  /** The index of each stack, and its parts by expert. */
  readonly stacks: readonly { readonly index: number; readonly parts: readonly Tensor[] }[];
  /** Index of the result. */
  readonly perExpert: number;
}

/** The expert that is computing now. */
export interface CurrentExpert {
  expert: number;
}
