import { choiceOption, optionError, refuseUnknownOptions, signalOption } from "./check.js";

export interface RunOptions {
  /** Names of the graph's outputs to return. Default: all of them. Unknown: `RR_OPTION`. */
  readonly outputs?: readonly string[] | undefined;
  /** Logits of every position (default), or of each sequence's last one. */
  readonly logits?: "all" | "last" | undefined;
  /** Ends the run; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CheckedRunOptions {
  readonly outputs: readonly string[];
  readonly logits: "all" | "last";
  readonly signal: AbortSignal | undefined;
}

/** @throws RR_OPTION */
export function checkRunOptions(options: RunOptions, available: readonly string[]): CheckedRunOptions {
  refuseUnknownOptions(options, ["outputs", "logits", "signal"]);
  const outputs = options.outputs ?? available;
  const known =
    Array.isArray(outputs) && outputs.length > 0 && outputs.every((name) => available.includes(name));
  if (!known) throw optionError("outputs", `some of ${available.join(", ")}`, [outputs].flat().join(", "));
  return {
    outputs: [...new Set(outputs)],
    logits: choiceOption("logits", options.logits, ["all", "last"], "all"),
    signal: signalOption(options.signal),
  };
}
