import { requireOptions } from "@ringrank/errors";
import { choiceOption, optionError, signalOption } from "./check.js";

export interface RunOptions {
  /** Names of the graph's outputs to return. Default: all of them. Another name is `RR_OPTION`. */
  readonly outputs?: readonly string[] | undefined;
  /** Whether to return the logits of every position (default), or only of each sequence's last one. */
  readonly logits?: "all" | "last" | undefined;
  /** Aborts the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CheckedRunOptions {
  readonly outputs: readonly string[];
  readonly logits: "all" | "last";
  readonly signal: AbortSignal | undefined;
}

/** @throws RR_OPTION */
export function checkRunOptions(options: RunOptions, available: readonly string[]): CheckedRunOptions {
  requireOptions(options, ["outputs", "logits", "signal"]);
  return {
    outputs: outputsOption(options.outputs, available),
    logits: choiceOption("logits", options.logits, ["all", "last"], "all"),
    signal: signalOption(options.signal),
  };
}

function outputsOption(value: unknown, available: readonly string[]): readonly string[] {
  if (value === undefined) return available;
  const names = available.join(", ");
  if (!Array.isArray(value) || value.length === 0) {
    throw optionError("outputs", `an array of some of ${names}`, value);
  }
  const outputs = [...new Set(value)];
  const unknown = outputs.filter((name) => !available.includes(name));
  if (unknown.length > 0) throw optionError("outputs", `some of ${names}`, unknown[0]);
  return outputs;
}
