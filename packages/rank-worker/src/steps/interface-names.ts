import type { interfaceNames } from "@ringrank/model";

/**
 * Those of the graph interface's names that a rank knows. A copy, since a rank loads nothing of the model package but
 * its weight reader; the type keeps the two the same.
 */
export const names = {
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  positionIds: "position_ids",
  logitRows: "logit_rows",
  logits: "logits",
} as const satisfies Partial<typeof interfaceNames>;
