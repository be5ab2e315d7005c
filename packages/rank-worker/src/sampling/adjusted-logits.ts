import type { OpenRow } from "./local-row.js";
import type { VocabularyShare } from "./vocabulary-share.js";

/** The logit of every token if only some may be chosen, so that they are equally likely. */
const forcedLogit = 0;

/** Logits after penalty and constraint, in transformers' order; the same array if there is neither. */
export function adjustedLogits(
  raw: Float32Array,
  { sampling: { repetitionPenalty }, seen, constraint: { banned, only } }: OpenRow,
  share: VocabularyShare,
): Float32Array {
  if (only !== undefined) {
    const adjusted = new Float32Array(raw.length).fill(Number.NEGATIVE_INFINITY);
    for (const element of elementsOf(only, share)) adjusted[element] = forcedLogit;
    return adjusted;
  }
  if (repetitionPenalty === 1 && banned.size === 0) return raw;
  const adjusted = raw.slice();
  if (repetitionPenalty !== 1) {
    for (const element of elementsOf(seen, share))
      adjusted[element] = penalize(raw[element]!, repetitionPenalty);
  }
  for (const element of elementsOf(banned, share)) adjusted[element] = Number.NEGATIVE_INFINITY;
  return adjusted;
}

/** The logit of a candidate, which may be chosen. */
export function adjustedLogit(
  id: number,
  logit: number,
  { sampling: { repetitionPenalty }, seen, constraint: { only } }: OpenRow,
): number {
  if (only !== undefined) return forcedLogit;
  return repetitionPenalty !== 1 && seen.has(id) ? penalize(logit, repetitionPenalty) : logit;
}

function* elementsOf(ids: Iterable<number>, share: VocabularyShare): Generator<number> {
  for (const id of ids) {
    const element = share.element(id);
    if (element !== -1) yield element;
  }
}

/**
 * A logit after the penalty for tokens that occurred before, in fp32: divided if positive, multiplied if negative
 * (CTRL, Keskar et al. 2019, as in transformers' `RepetitionPenaltyLogitsProcessor`). Any positive penalty is allowed.
 * If it takes a finite logit out of fp32's range, the result is clamped to that range. An infinite logit is a fault of
 * the model, so one from the model stays infinite.
 */
function penalize(logit: number, penalty: number): number {
  if (!Number.isFinite(logit)) return logit;
  const penalized = logit > 0 ? logit / penalty : logit * penalty;
  return Math.fround(Math.min(Math.max(penalized, -greatestFloat32), greatestFloat32));
}

const greatestFloat32 = (2 - 2 ** -23) * 2 ** 127;
