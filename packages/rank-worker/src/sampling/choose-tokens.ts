import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { SamplingParameters } from "../protocol.js";
import { adjustedLogit } from "./adjusted-logits.js";
import { constraintOf, unconstrained } from "./constraint.js";
import { exchange } from "./exchange.js";
import { keepLikely, type Scored } from "./filters.js";
import {
  type ConstrainedRow,
  type ExponentialSum,
  emptySum,
  type RowSummary,
  type SamplingRow,
  summarize,
} from "./local-row.js";
import { GumbelNoise } from "./noise.js";
import { firstLimit, strategyOf, widening } from "./strategy.js";
import type { VocabularyShare } from "./vocabulary-share.js";

export interface TokenChoice {
  readonly token: number;
  /** log-softmax of the raw logits at the chosen token; NaN where not asked for. */
  readonly logprob: number;
}

/**
 * Chooses each row's next token from logits that stay sharded by vocabulary. Ranks exchange their best candidates
 * and the sums a softmax needs, in one all-gather for all rows; rows whose candidates did not suffice go round again
 * with more. Every rank computes the same choice from the same exchange.
 *
 * The order is that of transformers: repetition penalty, repeated n-grams, a forced end; temperature, top-k, top-p,
 * min-p. Ties in logits go to the lowest token id. A ban on repeated n-grams that leaves no token is lifted.
 *
 * @throws RR_RANK_FAILED naming the rank, if its logits are NaN or infinite, or no token can be chosen
 */
export function chooseTokens(
  communicator: Communicator,
  share: VocabularyShare,
  samplingRows: readonly SamplingRow[],
): TokenChoice[] {
  const rows = samplingRows.map((row): ConstrainedRow => {
    return { ...row, constraint: constraintOf(row.sampling, row.tokens, row.position) };
  });
  const choices: TokenChoice[] = new Array(rows.length);
  let open = rows.map((_, index) => index);
  for (let widen = 1; open.length > 0; widen *= widening) {
    const limits = open.map((index) => Math.min(firstLimit(rows[index]!.sampling) * widen, share.vocabulary));
    const mine = open.map((index, at) => summarize(rows[index]!, share, limits[at]!));
    const all = exchange(communicator, mine, limits);
    open = open.filter((index, at) => {
      const row = rows[index]!;
      if (row.constraint.banned.size > 0 && isEmpty(all[at]!)) {
        rows[index] = { ...row, constraint: unconstrained };
        return true;
      }
      const choice = choose(row, all[at]!);
      if (choice !== undefined) choices[index] = choice;
      return choice === undefined;
    });
  }
  return choices;
}

/** @returns undefined where the candidates do not suffice */
function choose(row: ConstrainedRow, summaries: readonly RowSummary[]): TokenChoice | undefined {
  requireSound(summaries);
  const { sampling, position } = row;
  const strategy = strategyOf(sampling);
  const known = knownBest(row, summaries, strategy === "noise");
  const kept =
    strategy === "filter"
      ? keepLikely(known.scored, known.all, sampling, join(summaries.map(({ adjusted }) => adjusted)))
      : known.scored;
  if (kept === undefined) return undefined;
  const best = strategy === "greedy" ? first(kept) : noisiest(kept, new GumbelNoise(sampling.seed, position));
  return { token: best.id, logprob: logprob(best, sampling, summaries) };
}

/**
 * All ranks' candidates, best first, as far as it is certain that none is missing: down to the last candidate of
 * the rank that has more and whose last is the best.
 *
 * @param unordered whether candidates were chosen by another order (with noise), so that all of them count
 */
function knownBest(
  row: ConstrainedRow,
  summaries: readonly RowSummary[],
  unordered: boolean,
): { readonly scored: readonly Scored[]; readonly all: boolean } {
  const { sampling } = row;
  const divisor = strategyOf(sampling) === "greedy" ? 1 : sampling.temperature;
  const byRank = summaries.map(({ candidates }) =>
    candidates.map((candidate): Scored => {
      const { id, logit } = candidate;
      return { id, logit, score: adjustedLogit(candidate, row) / divisor };
    }),
  );
  const scored = byRank.flat().sort(byScore);
  if (unordered) return { scored, all: true };
  const lasts = byRank.flatMap((candidates, rank) =>
    summaries[rank]!.exhausted ? [] : candidates.slice(-1),
  );
  const bound = lasts.sort(byScore)[0];
  if (bound === undefined) return { scored, all: true };
  return { scored: scored.slice(0, scored.findIndex(({ id }) => id === bound.id) + 1), all: false };
}

function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.id - b.id;
}

function first(scored: readonly Scored[]): Scored {
  return scored[0]!;
}

function noisiest(scored: readonly Scored[], noise: GumbelNoise): Scored {
  let best = first(scored);
  let highest = best.score + noise.of(best.id);
  for (const candidate of scored.slice(1)) {
    const height = candidate.score + noise.of(candidate.id);
    if (height > highest || (height === highest && candidate.id < best.id)) {
      best = candidate;
      highest = height;
    }
  }
  return best;
}

function logprob(chosen: Scored, { logprobs }: SamplingParameters, summaries: readonly RowSummary[]): number {
  if (!logprobs) return Number.NaN;
  const { max, sum } = join(summaries.map(({ raw }) => raw));
  return chosen.logit - max - Math.log(sum);
}

/** The sum over all ranks, in rank order. */
function join(parts: readonly ExponentialSum[]): ExponentialSum {
  const max = parts.reduce((largest, part) => Math.max(largest, part.max), emptySum.max);
  return {
    max,
    sum: parts.reduce((sum, part) => (part.sum === 0 ? sum : sum + part.sum * Math.exp(part.max - max)), 0),
  };
}

function requireSound(summaries: readonly RowSummary[]): void {
  const broken = summaries.findIndex((summary) => summary.broken);
  if (broken !== -1) {
    throw new RingrankError(
      "RR_RANK_FAILED",
      `expected finite logits, got NaN or infinity on rank ${broken}; check the weights, or an overflow in the model`,
      { rank: broken },
    );
  }
  if (isEmpty(summaries)) {
    throw new RingrankError(
      "RR_RANK_FAILED",
      "expected a token with a finite logit, got −∞ for all of them",
      {
        rank: 0,
      },
    );
  }
}

/** Whether no rank has a token that can be chosen. */
function isEmpty(summaries: readonly RowSummary[]): boolean {
  return summaries.every(({ candidates }) => candidates.length === 0);
}
