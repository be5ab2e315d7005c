import type { interfaceNames } from "@ringrank/model";

/**
 * The graph interface's names. A copy, since a rank loads nothing of the model package but its weight reader; the
 * type keeps the two the same.
 */
export const names: typeof interfaceNames = {
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  positionIds: "position_ids",
  logitRows: "logit_rows",
  logits: "logits",
};
