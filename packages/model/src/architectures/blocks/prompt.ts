import type { Value } from "../../graph/index.js";

/**
 * Learned keys and values of a layer, which every query sees in addition to those of the tokens
 * (https://arxiv.org/abs/2101.00190).
 */
export interface Prompt {
  /** `[keyValueHeads, length, headDim]`, as is `value`. */
  readonly key: Value;
  readonly value: Value;
  readonly length: number;
}
