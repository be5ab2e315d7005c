import type { SamplingParameters } from "../protocol.js";
import type { ExponentialSum } from "./exponential-sum.js";
import type { KnownCandidates } from "./known-candidates.js";

/**
 * How many of the likeliest tokens remain after top-k, top-p and min-p, in transformers' order. Of those that top-k
 * leaves, top-p keeps the fewest whose share reaches p (Holtzman et al., "The curious case of neural text
 * degeneration", 2020). Min-p keeps tokens at least minP times as likely as the likeliest (Nguyen et al., "Turning up
 * the heat", 2024).
 *
 * @param known not empty
 * @param total over the whole vocabulary; required for top-p without top-k
 * @returns undefined if it depends on unknown candidates; the remaining ones have been merged
 */
export function likelyCount(
  known: KnownCandidates,
  { topK, topP, minP }: SamplingParameters,
  total: ExponentialSum,
): number | undefined {
  let most = Number.POSITIVE_INFINITY;
  if (topK > 0) {
    if (!known.reach(topK) && !known.isAll) return undefined;
    most = Math.min(topK, known.count);
  }
  if (topP < 1) most = nucleusSize(known, most, topP, topK > 0 ? sumOf(known, most) : total) ?? most;
  if (minP > 0) {
    const least = known.scores[0]! + Math.log(minP);
    for (let at = 0; at < most && known.reach(at + 1); at++) if (known.scores[at]! < least) return at;
  }
  if (known.reach(most)) return most;
  return known.isAll ? known.count : undefined;
}

/**
 * How many of the likeliest tokens reach the share `topP` of `total`; undefined if neither `most` nor all known ones
 * do.
 */
function nucleusSize(
  known: KnownCandidates,
  most: number,
  topP: number,
  { max, sum }: ExponentialSum,
): number | undefined {
  let reached = 0;
  for (let at = 0; at < most && known.reach(at + 1); at++) {
    reached += Math.exp(known.scores[at]! - max);
    if (reached >= topP * sum) return at + 1;
  }
  return undefined;
}

function sumOf({ scores }: KnownCandidates, count: number): ExponentialSum {
  const max = scores[0]!;
  let sum = 0;
  for (let at = 0; at < count; at++) sum += Math.exp(scores[at]! - max);
  return { max, sum };
}
