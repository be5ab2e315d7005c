import { randomInt } from "node:crypto";
import { RingrankError, requireOptions } from "@ringrank/errors";
import type { SamplingParameters } from "@ringrank/rank-worker";
import { booleanOption, idsOption, numberOption, optionError, signalOption } from "./check.js";

/** How a text is continued. Where an option is left out, generation_config.json decides, then the default here. */
export interface GenerateOptions {
  /** Most tokens to generate. Minimum 1, default 256; the context's end comes first where it is nearer. */
  readonly maxNewTokens?: number | undefined;
  /**
   * Divides the logits. Minimum 0, which is greedy and the default. Where that is left to a model that does not sample,
   * `topK`, `topP` and `minP` would change nothing: with a limit they are `RR_OPTION` then.
   */
  readonly temperature?: number | undefined;
  /** Sample only from this many of the likeliest tokens. Minimum 0, the default: no limit (transformers' is 50). */
  readonly topK?: number | undefined;
  /** Sample only from the likeliest tokens that together reach this probability. 0 to 1, default 1: no limit. */
  readonly topP?: number | undefined;
  /** Drop tokens less likely than this share of the likeliest. 0 to 1, default 0: no limit. */
  readonly minP?: number | undefined;
  /** Penalty on tokens seen in prompt and text (CTRL, arXiv 1909.05858). Above 0, default 1: none. */
  readonly repetitionPenalty?: number | undefined;
  /** No run of this many tokens comes twice in prompt and text together. Minimum 0, the default: any may. */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * An unsigned 32-bit integer. The same seed gives the same tokens; of float32 weights at every number of ranks, too.
   * (Quantized, activations are rounded, and what ranks add up in another order may be rounded otherwise.) Default:
   * random.
   */
  readonly seed?: number | undefined;
  /**
   * Ends before whichever of these strings is complete first; it is not part of the text. At most 64, none empty.
   * Default none.
   */
  readonly stop?: string | readonly string[] | undefined;
  /** Whether to go on past the end-of-sequence tokens, and to force none at the end. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** Whether each token carries the log-softmax of the raw logits; NaN otherwise. Default false. */
  readonly logprobs?: boolean | undefined;
  /**
   * Token ids that an encoder–decoder's target begins with, such as a language's; they are not part of the result.
   * Default: what the config names as the decoder's start, and as forced first token. `RR_OPTION` for other models.
   */
  readonly decoderPrompt?: readonly number[] | undefined;
  /** Ends the generation; iterator and result reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What generation_config.json says, as {@link GenerateOptions} with `temperature` 0 where it does not sample. */
export type GenerationDefaults = Omit<
  GenerateOptions,
  "signal" | "seed" | "logprobs" | "ignoreEos" | "decoderPrompt"
>;

/** {@link GenerateOptions} with every default in place. */
export interface CheckedGenerateOptions {
  readonly maxNewTokens: number;
  readonly sampling: SamplingParameters;
  readonly stop: readonly string[];
  readonly ignoreEos: boolean;
  readonly decoderPrompt: readonly number[] | undefined;
  readonly signal: AbortSignal | undefined;
}

const keys = [
  "maxNewTokens",
  "temperature",
  "topK",
  "topP",
  "minP",
  "repetitionPenalty",
  "noRepeatNgramSize",
  "seed",
  "stop",
  "ignoreEos",
  "logprobs",
  "decoderPrompt",
  "signal",
];

/**
 * Refuses what `generate` of any model would refuse, for those who have its options before they load one.
 *
 * @throws RR_OPTION
 */
export function validateGenerateOptions(options: GenerateOptions): void {
  // A model that samples takes all that one takes that does not.
  checkGenerateOptions(options, { temperature: 1 });
}

/** @throws RR_OPTION */
export function checkGenerateOptions(
  given: GenerateOptions,
  defaults: GenerationDefaults,
): CheckedGenerateOptions {
  requireOptions(given, keys);
  const options: GenerateOptions = { ...defaults, ...withoutUndefined(given) };
  const checked: CheckedGenerateOptions = {
    maxNewTokens: numberOption(
      "maxNewTokens",
      options.maxNewTokens,
      { minimum: 1, integer: true, unit: "tokens", infinity: true },
      256,
    ),
    sampling: {
      temperature: numberOption("temperature", options.temperature, { minimum: 0 }, 0),
      topK: numberOption("topK", options.topK, { minimum: 0, integer: true, unit: "tokens" }, 0),
      topP: numberOption("topP", options.topP, { minimum: 0, maximum: 1 }, 1),
      minP: numberOption("minP", options.minP, { minimum: 0, maximum: 1 }, 0),
      repetitionPenalty: numberOption(
        "repetitionPenalty",
        options.repetitionPenalty,
        { minimum: 0, isAbove: true },
        1,
      ),
      noRepeatNgramSize: numberOption(
        "noRepeatNgramSize",
        options.noRepeatNgramSize,
        { minimum: 0, integer: true, unit: "tokens" },
        0,
      ),
      seed:
        numberOption("seed", options.seed, { minimum: 0, maximum: 2 ** 32 - 1, integer: true }, undefined) ??
        randomInt(2 ** 32),
      logprobs: booleanOption("logprobs", options.logprobs, false),
    },
    stop: stopOption(options.stop),
    ignoreEos: booleanOption("ignoreEos", options.ignoreEos, false),
    decoderPrompt: idsOption("decoderPrompt", options.decoderPrompt),
    signal: signalOption(options.signal),
  };
  if (given.temperature === undefined && checked.sampling.temperature === 0) requireNoLimits(given);
  return checked;
}

/** Of a caller who would have the likeliest token and no other: whoever limits what is sampled from wants samples. */
function requireNoLimits({ topK = 0, topP = 1, minP = 0 }: GenerateOptions): void {
  const limits = [topK > 0 && `topK ${topK}`, topP < 1 && `topP ${topP}`, minP > 0 && `minP ${minP}`];
  const limit = limits.find((text) => text !== false);
  if (limit === undefined) return;
  throw new RingrankError(
    "RR_OPTION",
    `expected a temperature beside ${limit}, got none: the model's generation config does not sample, and the ` +
      "likeliest token is chosen whatever the limit; give a temperature above 0, or 0 to have it so",
  );
}

function stopOption(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const strings = list.filter((item): item is string => typeof item === "string" && item !== "");
  if (strings.length === list.length && list.length <= 64) return strings;
  const wrong = list.find((item) => typeof item !== "string" || item === "");
  throw optionError("stop", "a non-empty string, or at most 64 of them", wrong ?? value);
}

/** An option given as undefined is an option left out. */
function withoutUndefined(options: GenerateOptions): GenerateOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
