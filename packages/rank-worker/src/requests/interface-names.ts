import type { interfaceNames } from "@ringrank/model";
import type { Entry } from "@ringrank/policy";

/**
 * The names of the graph interface that a rank knows. This is a copy, because a rank only loads the weight reader of
 * the model package; the type keeps the two equal.
 */
export const names = {
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  decoderInputIds: "decoder_input_ids",
  decoderAttentionMask: "decoder_attention_mask",
  positionIds: "position_ids",
  promptLengths: "prompt_lengths",
  logitRows: "logit_rows",
  logits: "logits",
} as const satisfies Partial<typeof interfaceNames>;

/** Names of an entry's token ids and of their mask, both `[batch, sequence]`. */
export function tokenInputs({ inputs }: Entry): { readonly ids: string; readonly mask: string } {
  return inputs.some(({ name }) => name === names.decoderInputIds)
    ? { ids: names.decoderInputIds, mask: names.decoderAttentionMask }
    : { ids: names.inputIds, mask: names.attentionMask };
}
