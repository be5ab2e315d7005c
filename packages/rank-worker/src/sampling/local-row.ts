import type { SamplingParameters } from "../protocol.js";
import { adjustedLogits } from "./adjusted-logits.js";
import type { Constraint } from "./constraint.js";
import { GumbelNoise, maximumNoise } from "./noise.js";
import { needsTotal, strategyOf } from "./strategy.js";
import { TopCandidates } from "./top-candidates.js";
import type { VocabularyShare } from "./vocabulary-share.js";

/** One sequence's logits on this rank, and what choosing its next token needs to know. */
export interface SamplingRow {
  /** This rank's part of the vocabulary. */
  readonly logits: Float32Array;
  readonly sampling: SamplingParameters;
  /** Tokens of the prompt and of what was generated, in order. */
  readonly tokens: readonly number[];
  /** Each of them. */
  readonly seen: ReadonlySet<number>;
  /** Position of the token to be chosen. */
  readonly position: number;
}

/** A row, and which of its tokens may be chosen. */
export interface ConstrainedRow extends SamplingRow {
  readonly constraint: Constraint;
}

/** Σ exp(x − max), and max: what a log-sum-exp needs, in a form that ranks can join. */
export interface ExponentialSum {
  readonly max: number;
  readonly sum: number;
}

export interface Candidate {
  readonly id: number;
  /** As the model gave it, before penalty, constraint and temperature. */
  readonly logit: number;
}

/** What one rank says about its part of a row. */
export interface RowSummary {
  /** Whether a logit is NaN or +∞. A logit of −∞ is a token that cannot be chosen. */
  readonly broken: boolean;
  /** Of the raw logits; empty unless a logprob is wanted. */
  readonly raw: ExponentialSum;
  /** Of the logits after penalty, constraint and temperature; empty unless top-p needs it. */
  readonly adjusted: ExponentialSum;
  /** The best of this rank, best first. */
  readonly candidates: readonly Candidate[];
  /** Whether the rank has no others. */
  readonly exhausted: boolean;
}

export const emptySum: ExponentialSum = { max: Number.NEGATIVE_INFINITY, sum: 0 };

/** @param limit how many candidates to name at most */
export function summarize(row: ConstrainedRow, share: VocabularyShare, limit: number): RowSummary {
  const { sampling } = row;
  const raw = share.own(row.logits);
  const values = adjustedLogits(raw, row, share);
  const room = Math.min(limit, raw.length);
  const top = new TopCandidates(room);
  const isSound =
    strategyOf(sampling) === "noise" ? offerWithNoise(top, values, row, share) : top.offerAll(values);
  if (!isSound) return { broken: true, raw: emptySum, adjusted: emptySum, candidates: [], exhausted: true };
  const candidates = top.sorted().map((element) => ({ id: share.id(element), logit: raw[element]! }));
  return {
    broken: false,
    raw: sampling.logprobs ? exponentialSum(raw, 1) : emptySum,
    adjusted: needsTotal(sampling) ? exponentialSum(values, sampling.temperature) : emptySum,
    candidates,
    // Fewer than there was room for: the rest is −∞.
    exhausted: room === raw.length || candidates.length < room,
  };
}

/** @returns false if a value is NaN or +∞ */
function offerWithNoise(
  top: TopCandidates,
  values: Float32Array,
  { sampling, position }: SamplingRow,
  share: VocabularyShare,
): boolean {
  const noise = new GumbelNoise(sampling.seed, position);
  const { temperature } = sampling;
  let threshold = top.threshold;
  for (let element = 0; element < values.length; element++) {
    const scaled = values[element]! / temperature;
    // Two logarithms are spared for all that their noise does not lift above the best so far.
    const behind = threshold - scaled;
    if (behind >= maximumNoise) continue;
    if (!(scaled < Number.POSITIVE_INFINITY)) return false;
    const id = share.id(element);
    if (behind > 0 && !noise.mayReach(id, behind)) continue;
    top.offer(scaled + noise.of(id), element);
    threshold = top.threshold;
  }
  return true;
}

function exponentialSum(values: Float32Array, temperature: number): ExponentialSum {
  let max = Number.NEGATIVE_INFINITY;
  for (let element = 0; element < values.length; element++) max = Math.max(max, values[element]!);
  if (max === Number.NEGATIVE_INFINITY) return emptySum;
  let sum = 0;
  for (let element = 0; element < values.length; element++)
    sum += Math.exp((values[element]! - max) / temperature);
  return { max: max / temperature, sum };
}
