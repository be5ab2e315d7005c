import { requireOptions } from "@ringrank/errors";
import type { PoolingMode } from "@ringrank/model";
import { poolingModes } from "@ringrank/model/serving";
import { booleanOption, optionalChoice, optionError, signalOption } from "./check.js";

export interface EmbedOptions {
  /**
   * How a text's vector is made of its tokens' hidden states. Default: as the checkpoint's modules.json says, else
   * `"mean"`.
   *
   * - `"mean"`: their mean; `"mean_sqrt_len_tokens"`: their sum divided by the square root of their number
   * - `"cls"`: the first token's; `"lasttoken"`: the last token's
   * - `"max"`: the largest value of each lane
   * - `"weightedmean"`: their mean, in which a token counts as often as its position says, from 1 on
   */
  readonly pooling?: PoolingMode | undefined;
  /**
   * Whether each embedding is divided by its length (L2), so that dot products are cosines. Default: as the
   * checkpoint's modules.json says, else true.
   */
  readonly normalize?: boolean | undefined;
  /** A text that is put in front of each text. Default: the checkpoint's default prompt, if it has one. */
  readonly prompt?: string | undefined;
  /** The same, by the name that the checkpoint gives it in config_sentence_transformers.json, such as `"query"`. */
  readonly promptName?: string | undefined;
  /** Aborts the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CheckedEmbedOptions {
  readonly pooling: PoolingMode | undefined;
  readonly normalize: boolean | undefined;
  readonly prompt: string | undefined;
  readonly promptName: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @throws RR_OPTION */
export function checkEmbedOptions(options: EmbedOptions): CheckedEmbedOptions {
  requireOptions(options, ["pooling", "normalize", "prompt", "promptName", "signal"]);
  const { normalize } = options;
  const checked = {
    pooling: optionalChoice("pooling", options.pooling, poolingModes),
    normalize: normalize === undefined ? undefined : booleanOption("normalize", normalize, true),
    prompt: textOption("prompt", options.prompt),
    promptName: textOption("promptName", options.promptName),
    signal: signalOption(options.signal),
  };
  if (checked.prompt !== undefined && checked.promptName !== undefined) {
    throw optionError("promptName", "no value, because there is a prompt", checked.promptName);
  }
  return checked;
}

function textOption(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw optionError(name, "a text", value);
}

/** @throws RR_OPTION if a prompt is asked for that would have no effect on token ids */
export function refusePromptOfIds(
  texts: readonly unknown[],
  { prompt, promptName }: Pick<CheckedEmbedOptions, "prompt" | "promptName">,
): void {
  if (prompt === undefined && promptName === undefined) return;
  const at = texts.findIndex((text) => Array.isArray(text));
  if (at < 0) return;
  const name = prompt === undefined ? "promptName" : "prompt";
  throw optionError(name, `no value, because text ${at} is an array of token ids`, prompt ?? promptName);
}
