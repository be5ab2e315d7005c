import { requireOptions } from "@ringrank/errors";
import { booleanOption, choiceOption, signalOption } from "./check.js";

export interface EmbedOptions {
  /** `"mean"` (default) takes the mean of all tokens' hidden states, `"cls"` the hidden state of the first token. */
  readonly pooling?: "mean" | "cls" | undefined;
  /** Whether each embedding is divided by its length (L2), so that dot products are cosines. Default true. */
  readonly normalize?: boolean | undefined;
  /** Aborts the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CheckedEmbedOptions {
  readonly pooling: "mean" | "cls";
  readonly normalize: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws RR_OPTION */
export function checkEmbedOptions(options: EmbedOptions): CheckedEmbedOptions {
  requireOptions(options, ["pooling", "normalize", "signal"]);
  return {
    pooling: choiceOption("pooling", options.pooling, ["mean", "cls"], "mean"),
    normalize: booleanOption("normalize", options.normalize, true),
    signal: signalOption(options.signal),
  };
}
