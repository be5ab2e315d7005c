import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { adjustedLogit } from "./adjusted-logits.js";
import { unconstrained } from "./constraint.js";
import { exchange } from "./exchange.js";
import { type ExponentialSum, emptySum } from "./exponential-sum.js";
import { likelyCount } from "./filters.js";
import { KnownCandidates } from "./known-candidates.js";
import { type OpenRow, openRow, type SamplingRow, summarize } from "./local-row.js";
import { GumbelNoise } from "./noise.js";
import type { RowSummary } from "./row-summary.js";
import { firstLimit, needsTotal, widening } from "./strategy.js";
import type { VocabularyShare } from "./vocabulary-share.js";

export interface TokenChoice {
  readonly token: number;
  /** The log-softmax of the raw logits at the chosen token; NaN unless requested. */
  readonly logprob: number;
}

/**
 * Chooses each row's next token from logits that stay sharded by vocabulary. Ranks exchange their best candidates and
 * the sums that a softmax needs, in one all-gather for all rows. Rows with too few candidates are exchanged again with
 * more. Every rank computes the same choice from the same exchange.
 *
 * The order is that of transformers: repetition penalty, repeated n-grams, a forced end; temperature, top-k, top-p,
 * min-p. Ties in logits go to the lowest token id. A ban on repeated n-grams that leaves no token is lifted.
 *
 * @param kernels skip most of the vocabulary, and sum over all of it, faster
 * @throws RR_RANK_FAILED naming the rank whose logits are NaN or infinite, or no rank if no token can be chosen
 */
export function chooseTokens(
  communicator: Communicator,
  share: VocabularyShare,
  samplingRows: readonly SamplingRow[],
  kernels?: RankKernels,
): TokenChoice[] {
  const rows = Array.from(samplingRows, openRow);
  const choices: TokenChoice[] = new Array(rows.length);
  let open = [...rows.keys()];
  for (let widen = 1; open.length > 0; widen *= widening) {
    const limits = Array.from(open, (index) =>
      Math.min(firstLimit(rows[index]!.sampling) * widen, share.vocabulary),
    );
    const all = exchange(communicator, limits, (at, summary) =>
      summarize(rows[open[at]!]!, share, summary, kernels),
    );
    open = open.filter((index, at) => {
      const row = rows[index]!;
      const summaries = all[at]!;
      requireSound(summaries);
      if (isEmpty(summaries)) {
        if (row.constraint.banned.size === 0) throw nothingToChoose();
        row.constraint = unconstrained;
        return true;
      }
      const choice = choose(row, summaries);
      if (choice !== undefined) choices[index] = choice;
      return choice === undefined;
    });
  }
  return choices;
}

/** @returns undefined if there are too few candidates */
function choose(row: OpenRow, summaries: readonly RowSummary[]): TokenChoice | undefined {
  if (row.strategy === "noise") return noisiestOfRanks(row, summaries);
  const known = new KnownCandidates(row, summaries);
  known.reach(1);
  if (row.strategy === "greedy") return choiceOf(known.ids[0]!, known.logits[0]!, row, summaries);
  const total = needsTotal(row.sampling) ? join(summaries, "adjusted") : emptySum;
  const count = likelyCount(known, row.sampling, total);
  if (count === undefined) return undefined;
  const noise = new GumbelNoise(row.sampling.seed, row.position);
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const height = known.scores[at]! + noise.of(known.ids[at]!);
    if (height < highest || (height === highest && known.ids[at]! > known.ids[best]!)) continue;
    best = at;
    highest = height;
  }
  return choiceOf(known.ids[best]!, known.logits[best]!, row, summaries);
}

/** Each rank's candidate is its own token with the largest noisy logit. */
function noisiestOfRanks(row: OpenRow, summaries: readonly RowSummary[]): TokenChoice {
  const { seed, temperature } = row.sampling;
  const noise = new GumbelNoise(seed, row.position);
  let [id, logit, highest] = [-1, 0, Number.NEGATIVE_INFINITY];
  for (const summary of summaries) {
    if (summary.count === 0) continue;
    const [candidate, its] = [summary.id(0), summary.logit(0)];
    const height = adjustedLogit(candidate, its, row) / temperature + noise.of(candidate);
    if (height < highest || (height === highest && candidate > id)) continue;
    [id, logit, highest] = [candidate, its, height];
  }
  return choiceOf(id, logit, row, summaries);
}

function choiceOf(
  token: number,
  logit: number,
  { sampling }: OpenRow,
  summaries: readonly RowSummary[],
): TokenChoice {
  if (!sampling.logprobs) return { token, logprob: Number.NaN };
  const { max, sum } = join(summaries, "raw");
  return { token, logprob: logit - max - Math.log(sum) };
}

/** The sum over all ranks, in rank order. */
function join(summaries: readonly RowSummary[], which: "raw" | "adjusted"): ExponentialSum {
  const parts = summaries.map((summary) => summary[which]);
  const max = parts.reduce((largest, part) => Math.max(largest, part.max), emptySum.max);
  return {
    max,
    sum: parts.reduce((sum, part) => sum + part.sum * Math.exp(part.max - max), 0),
  };
}

function requireSound(summaries: readonly RowSummary[]): void {
  const broken = summaries.findIndex((summary) => summary.isBroken);
  if (broken === -1) return;
  throw new RingrankError(
    "RR_RANK_FAILED",
    `expected finite logits, got NaN or infinity on rank ${broken}; check the weights, or an overflow in the model`,
    { rank: broken },
  );
}

function nothingToChoose(): RingrankError {
  const message = "expected a token with a finite logit, got −∞ for all of them";
  return new RingrankError("RR_RANK_FAILED", message);
}

/** Whether no rank has a token that can be chosen. */
function isEmpty(summaries: readonly RowSummary[]): boolean {
  return summaries.every(({ count }) => count === 0);
}
