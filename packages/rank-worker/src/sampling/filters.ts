import type { SamplingParameters } from "../protocol.js";
import type { Candidate, ExponentialSum } from "./local-row.js";

/** A candidate after penalty, constraint and temperature. */
export interface Scored extends Candidate {
  readonly score: number;
}

/**
 * What top-k, top-p and min-p leave, in transformers' order. Top-p keeps the fewest of the likeliest whose share
 * reaches p (Holtzman et al., "The curious case of neural text degeneration", 2020), of what top-k left; min-p keeps
 * what is at least minP times as likely as the likeliest (Nguyen et al., "Turning up the heat", 2024).
 *
 * @param known the likeliest, best first, none missing between; not empty
 * @param all whether there are no others
 * @param total over the whole vocabulary; needed for top-p without top-k
 * @returns undefined if it depends on candidates that are not known
 */
export function keepLikely(
  known: readonly Scored[],
  all: boolean,
  { topK, topP, minP }: SamplingParameters,
  total: ExponentialSum,
): readonly Scored[] | undefined {
  let kept = known;
  let complete = all;
  if (topK > 0) {
    if (!all && known.length < topK) return undefined;
    kept = known.slice(0, topK);
    complete = true;
  }
  if (topP < 1) {
    const nucleus = nucleusSize(kept, topP, topK > 0 ? sumOf(kept) : total);
    if (nucleus !== undefined) {
      kept = kept.slice(0, nucleus);
      complete = true;
    }
  }
  if (minP > 0) {
    const least = kept[0]!.score + Math.log(minP);
    const end = kept.findIndex(({ score }) => score < least);
    if (end !== -1) return kept.slice(0, end);
  }
  return complete ? kept : undefined;
}

/** How many of the likeliest reach the share `topP` of `total`; undefined if all together do not. */
function nucleusSize(
  likeliest: readonly Scored[],
  topP: number,
  { max, sum }: ExponentialSum,
): number | undefined {
  let reached = 0;
  for (const [at, { score }] of likeliest.entries()) {
    reached += Math.exp(score - max);
    if (reached >= topP * sum) return at + 1;
  }
  return undefined;
}

function sumOf(scored: readonly Scored[]): ExponentialSum {
  const max = scored[0]!.score;
  return { max, sum: scored.reduce((sum, { score }) => sum + Math.exp(score - max), 0) };
}
