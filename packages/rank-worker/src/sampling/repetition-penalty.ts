/**
 * A logit after the penalty for tokens that were there before, in fp32: divided where positive, multiplied where
 * negative (CTRL, Keskar et al. 2019, as in transformers' `RepetitionPenaltyLogitsProcessor`).
 */
export function penalize(logit: number, penalty: number): number {
  return Math.fround(logit > 0 ? logit / penalty : logit * penalty);
}
