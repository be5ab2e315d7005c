import type { interfaceNames } from "@ringrank/model";
import type { Entry } from "@ringrank/policy";

/**
 * Those of the graph interface's names that a rank knows. A copy, since a rank loads nothing of the model package but
 * its weight reader; the type keeps the two the same.
 */
export const names = {
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  decoderInputIds: "decoder_input_ids",
  decoderAttentionMask: "decoder_attention_mask",
  positionIds: "position_ids",
  logitRows: "logit_rows",
  logits: "logits",
} as const satisfies Partial<typeof interfaceNames>;

/** Names of an entry's token ids and of their mask, `[batch, sequence]` both. */
export function tokenInputs({ inputs }: Entry): { readonly ids: string; readonly mask: string } {
  return inputs.some(({ name }) => name === names.decoderInputIds)
    ? { ids: names.decoderInputIds, mask: names.decoderAttentionMask }
    : { ids: names.inputIds, mask: names.attentionMask };
}
