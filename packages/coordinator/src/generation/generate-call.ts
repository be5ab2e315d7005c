import type { ModelFacts } from "../model-facts.js";
import {
  type CheckedGenerateOptions,
  checkGenerateOptions,
  type GenerateOptions,
} from "../options/generate-options.js";
import type { Prompts } from "../prompts/prompts.js";
import { beginningOfTarget } from "../prompts/sources.js";
import { requireGenerate } from "./require-generate.js";

/** A call of `generate` with options that this model supports. */
export interface GenerateCall {
  readonly options: CheckedGenerateOptions;
  /** The beginning of an encoder–decoder's target; undefined if there is no encoder. */
  readonly target: readonly number[] | undefined;
}

/**
 * Checks everything about a call except its prompt, which may need the tokenizer.
 *
 * @throws RR_OPTION, RR_NO_GENERATE, RR_NO_TOKENIZER; RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT for a decoder's prompt
 */
export function checkCall(given: GenerateOptions, facts: ModelFacts, prompts: Prompts): GenerateCall {
  const options = checkGenerateOptions(given, facts.generationDefaults);
  requireGenerate(facts);
  if (options.stop.length > 0) prompts.requireTokenizer("stop strings");
  return { options, target: beginningOfTarget(options.decoderPrompt, facts) };
}
