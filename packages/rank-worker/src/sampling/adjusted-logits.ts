import type { OpenRow } from "./local-row.js";
import type { VocabularyShare } from "./vocabulary-share.js";

/** That of every token where only some may be chosen: they are as likely as each other. */
const forcedLogit = 0;

/** Logits after penalty and constraint, in transformers' order; the same array where there is neither. */
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

/** That of a candidate, which is none that may not be chosen. */
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
 * A logit after the penalty for tokens that were there before, in fp32: divided where positive, multiplied where
 * negative (CTRL, Keskar et al. 2019, as in transformers' `RepetitionPenaltyLogitsProcessor`).
 *
 * Any positive penalty may be given. One that takes a finite logit out of fp32's range leaves it at the range's end: an
 * infinite logit is a fault of the model's, and one that the model gives stays one.
 */
function penalize(logit: number, penalty: number): number {
  if (!Number.isFinite(logit)) return logit;
  const penalized = logit > 0 ? logit / penalty : logit * penalty;
  return Math.fround(Math.min(Math.max(penalized, -greatestFloat32), greatestFloat32));
}

const greatestFloat32 = (2 - 2 ** -23) * 2 ** 127;
