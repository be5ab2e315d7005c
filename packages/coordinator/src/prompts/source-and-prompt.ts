import { RingrankError } from "@ringrank/errors";
import { checkIds } from "../inputs/inputs.js";
import type { ModelFacts } from "../model-facts.js";
import { optionError } from "../options/check.js";

/** What a generation begins with. */
export interface SourceAndPrompt {
  /** What an encoder reads; undefined where the model has none. */
  readonly source: readonly number[] | undefined;
  /** What the decoder's cache begins with. */
  readonly prompt: readonly number[];
}

/**
 * Tells what of a caller's prompt the model is to continue: the prompt itself, or, where it is what an encoder reads,
 * the beginning of its target.
 *
 * @throws RR_OPTION, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT
 */
export function sourceAndPrompt(
  ids: readonly number[],
  decoderPrompt: readonly number[] | undefined,
  facts: ModelFacts,
): SourceAndPrompt {
  const { encoder } = facts;
  if (encoder === undefined) {
    if (decoderPrompt === undefined) return { source: undefined, prompt: ids };
    throw optionError("decoderPrompt", "none, since the model has no encoder", decoderPrompt);
  }
  const prompt = decoderPrompt ?? encoder.decoderPromptIds;
  if (decoderPrompt === undefined && prompt.length === 0) {
    throw new RingrankError(
      "RR_OPTION",
      "decoderPrompt: expected token ids, since the config has no decoder_start_token_id; got none",
    );
  }
  checkIds(prompt, facts);
  return { source: ids, prompt };
}

/**
 * The source of a sequence that its caller fills.
 *
 * @throws RR_OPTION where there is a source without an encoder, or the other way; RR_EMPTY_PROMPT, RR_TOKEN_ID,
 * RR_CONTEXT
 */
export function checkSource(source: unknown, facts: ModelFacts): readonly number[] | undefined {
  if (facts.encoder === undefined) {
    if (source === undefined) return undefined;
    throw optionError("source", "none, since the model has no encoder", source);
  }
  if (!Array.isArray(source)) throw optionError("source", "an array of token ids for the encoder", source);
  const ids: readonly number[] = [...source];
  checkIds(ids, facts);
  return ids;
}
