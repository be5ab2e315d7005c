import { RingrankError } from "@ringrank/errors";
import { checkIds } from "../inputs/inputs.js";
import type { ModelFacts } from "../model-facts.js";
import { optionError } from "../options/check.js";

/**
 * The tokens that the decoder of an encoder–decoder starts with: those of the caller, else of the config. Undefined if
 * there is no encoder; the generation then continues the caller's prompt.
 *
 * @throws RR_OPTION, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
 */
export function beginningOfTarget(
  decoderPrompt: readonly number[] | undefined,
  facts: ModelFacts,
): readonly number[] | undefined {
  const { encoder } = facts;
  if (encoder === undefined) {
    if (decoderPrompt === undefined) return undefined;
    throw optionError("decoderPrompt", "no value, because the model has no encoder", decoderPrompt);
  }
  const beginning = decoderPrompt ?? encoder.decoderPromptIds;
  if (decoderPrompt === undefined && beginning.length === 0) {
    throw new RingrankError(
      "RR_OPTION",
      "decoderPrompt: expected token ids, because the config has no decoder_start_token_id; got none",
    );
  }
  checkIds(beginning, facts);
  return beginning;
}

/**
 * The source of a sequence that the caller fills.
 *
 * @throws RR_OPTION if there is a source without an encoder, or an encoder without a source; RR_EMPTY_PROMPT,
 * RR_TOKEN_ID, RR_CONTEXT
 */
export function checkSource(source: unknown, facts: ModelFacts): readonly number[] | undefined {
  if (facts.encoder === undefined) {
    if (source === undefined) return undefined;
    throw optionError("source", "no value, because the model has no encoder", source);
  }
  if (!Array.isArray(source)) throw optionError("source", "an array of token ids for the encoder", source);
  const ids: readonly number[] = [...source];
  checkIds(ids, facts.encoder);
  return ids;
}
