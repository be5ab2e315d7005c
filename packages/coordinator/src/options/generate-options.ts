import { randomInt } from "node:crypto";
import { RingrankError, requireOptions } from "@ringrank/errors";
import type { TemplateVariables } from "@ringrank/model";
import type { SamplingParameters } from "@ringrank/rank-worker";
import { copyJson } from "../inputs/json.js";
import { booleanOption, idsOption, numberOption, optionError, signalOption } from "./check.js";

/**
 * How a text is continued. An option that is omitted is taken from generation_config.json; if that has none, it has the
 * default given here.
 */
export interface GenerateOptions {
  /**
   * The most tokens to generate. Minimum 1, default 256; `Infinity` allowed. Generation also ends when the model's
   * context is full.
   */
  readonly maxNewTokens?: number | undefined;
  /**
   * Divides the logits. Minimum 0, which is greedy and the default. If it is omitted and the model's
   * generation_config.json does not sample, `topK`, `topP` and `minP` would have no effect, so setting them is
   * `RR_OPTION`.
   */
  readonly temperature?: number | undefined;
  /** Sample only from this many of the likeliest tokens. Default 0: no limit (transformers' default is 50). */
  readonly topK?: number | undefined;
  /** Sample only from the likeliest tokens that together reach this probability. 0 to 1, default 1: no limit. */
  readonly topP?: number | undefined;
  /** Drop tokens whose probability is below this share of the likeliest token's. 0 to 1, default 0: no limit. */
  readonly minP?: number | undefined;
  /**
   * Penalty on tokens that occur in the prompt or in the text so far (CTRL, arXiv 1909.05858). Above 0, default 1:
   * none.
   */
  readonly repetitionPenalty?: number | undefined;
  /** No n-gram of this many tokens occurs twice in prompt and text together. Default 0: no limit. */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * An unsigned 32-bit integer. The same seed gives the same tokens; with float32 weights, on any number of ranks.
   * (With quantized weights, activations are rounded, and sums that ranks add in another order may round differently.)
   * Default: random.
   */
  readonly seed?: number | undefined;
  /**
   * Generation ends before whichever of these strings is completed first; that string is not part of the text. At most
   * 64, none empty. Default none.
   */
  readonly stop?: string | readonly string[] | undefined;
  /** Whether to continue past end-of-sequence tokens, and not to force one at the end. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** Whether each token has a `logprob`, the log-softmax of the raw logits; it is NaN otherwise. Default false. */
  readonly logprobs?: boolean | undefined;
  /**
   * Token ids that an encoder–decoder's target begins with, such as the one of a language; they are not part of the
   * result. Default: the start token and forced first token that the config names. `RR_OPTION` for other models.
   */
  readonly decoderPrompt?: readonly number[] | undefined;
  /**
   * What the model's chat template reads besides messages, in JSON: `tools`
   * (https://huggingface.co/docs/transformers/chat_extras), `documents`, or switches such as `enable_thinking`.
   * `RR_OPTION` for a variable that the template does not read, and without messages. Default none.
   */
  readonly templateVariables?: TemplateVariables | undefined;
  /** Ends the generation; iterator and result reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What generation_config.json says, as {@link GenerateOptions}; `temperature` is 0 if it does not sample. */
export type GenerationDefaults = Omit<
  GenerateOptions,
  "signal" | "seed" | "logprobs" | "ignoreEos" | "decoderPrompt" | "templateVariables"
>;

/** {@link GenerateOptions} with all defaults filled in. */
export interface CheckedGenerateOptions {
  readonly maxNewTokens: number;
  readonly sampling: SamplingParameters;
  readonly stop: readonly string[];
  readonly ignoreEos: boolean;
  readonly decoderPrompt: readonly number[] | undefined;
  readonly templateVariables: TemplateVariables | undefined;
  readonly signal: AbortSignal | undefined;
}

const keys: readonly (keyof GenerateOptions)[] = [
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
  "templateVariables",
  "signal",
];

/**
 * Refuses options that `generate` would refuse for any model, for callers that have them before they load a model.
 *
 * @throws RR_OPTION
 */
export function validateGenerateOptions(options: GenerateOptions): void {
  // A model that samples accepts everything that one without sampling does.
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
    templateVariables: variablesOption(options.templateVariables),
    signal: signalOption(options.signal),
  };
  if (given.temperature === undefined && checked.sampling.temperature === 0) requireNoLimits(given);
  return checked;
}

/** A caller that sets a sampling limit wants samples, and would get the likeliest token instead. */
function requireNoLimits({ topK = 0, topP = 1, minP = 0 }: GenerateOptions): void {
  const limits = [topK > 0 && `topK ${topK}`, topP < 1 && `topP ${topP}`, minP > 0 && `minP ${minP}`];
  const limit = limits.find((text) => text !== false);
  if (limit === undefined) return;
  throw new RingrankError(
    "RR_OPTION",
    `expected a temperature with ${limit}, got none: the model's generation config does not sample, so the ` +
      "likeliest token would be chosen, whatever the limit; set a temperature above 0, or 0 if that is intended",
  );
}

function variablesOption(value: unknown): TemplateVariables | undefined {
  if (value === undefined) return undefined;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) throw optionError("templateVariables", "an object", value);
  return copyJson(value, (at, got) =>
    optionError(`templateVariables${at}`, "JSON", got),
  ) as TemplateVariables;
}

function stopOption(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const strings = list.filter((item): item is string => typeof item === "string" && item !== "");
  if (strings.length === list.length && list.length <= 64) return strings;
  const wrong = list.find((item) => typeof item !== "string" || item === "");
  throw optionError("stop", "a non-empty string, or at most 64 of them", wrong ?? value);
}

/**
 * Without options that are undefined, which count as omitted. With inherited ones, which also count in the options of
 * other calls.
 */
function withoutUndefined(options: GenerateOptions): GenerateOptions {
  const entries = keys.map((key) => [key, options[key]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
