import type { RankKernels } from "../kernels/rank-kernels.js";
import type { SamplingParameters } from "../protocol.js";
import { adjustedLogits } from "./adjusted-logits.js";
import { type Constraint, constraintOf } from "./constraint.js";
import { exponentialSum } from "./exponential-sum.js";
import { GumbelNoise, maximumNoise } from "./noise.js";
import type { RowSummary } from "./row-summary.js";
import { skipSmall, skipUnlikely } from "./skips.js";
import { needsTotal, type Strategy, strategyOf } from "./strategy.js";
import { TopCandidates } from "./top-candidates.js";
import type { VocabularyShare } from "./vocabulary-share.js";

/** One sequence's logits on this rank, and the information needed to choose its next token. */
export interface SamplingRow {
  /** This rank's part of the vocabulary. */
  readonly logits: Float32Array;
  readonly sampling: SamplingParameters;
  /** Tokens of the prompt and generated tokens, in order. */
  readonly tokens: readonly number[];
  /** The set of these tokens. */
  readonly seen: ReadonlySet<number>;
  /** Position of the token to be chosen. */
  readonly position: number;
}

/** A row, how its token is found, and which of its tokens may be chosen. */
export interface OpenRow extends SamplingRow {
  readonly strategy: Strategy;
  constraint: Constraint;
}

/** Written out, so that all rows are objects of the same shape, whatever the caller's objects are. */
export function openRow({ logits, sampling, tokens, seen, position }: SamplingRow): OpenRow {
  const constraint = constraintOf(sampling, tokens, position);
  return { logits, sampling, tokens, seen, position, strategy: strategyOf(sampling), constraint };
}

/**
 * Summarizes this rank's part of a row.
 *
 * @param summary empty, with room for the most candidates to be named
 * @param kernels skip most of the vocabulary, and sum over all of it, faster
 */
export function summarize(
  row: OpenRow,
  share: VocabularyShare,
  summary: RowSummary,
  kernels?: RankKernels,
): void {
  const { sampling } = row;
  const raw = share.own(row.logits);
  const values = adjustedLogits(raw, row, share);
  const { room } = summary;
  const top = new TopCandidates(room);
  const isSound =
    row.strategy === "noise"
      ? offerWithNoise(top, values, row, share, kernels)
      : top.offerAll(values, skipSmall(values, kernels));
  if (!isSound) {
    summary.isBroken = true;
    return;
  }
  const elements = top.sorted();
  for (let at = 0; at < elements.length; at++) {
    const element = elements[at]!;
    summary.add(share.id(element), raw[element]!);
  }
  // Fewer than there is room for: the others are −∞.
  summary.isExhausted = room === raw.length || elements.length < room;
  if (sampling.logprobs) summary.raw = exponentialSum(raw, 1, kernels);
  if (needsTotal(sampling)) summary.adjusted = exponentialSum(values, sampling.temperature, kernels);
}

/** @returns false if a value is NaN or +∞ */
function offerWithNoise(
  top: TopCandidates,
  values: Float32Array,
  { sampling, position }: SamplingRow,
  share: VocabularyShare,
  kernels: RankKernels | undefined,
): boolean {
  const noise = new GumbelNoise(sampling.seed, position);
  const { temperature } = sampling;
  const { firstId } = share;
  const skipping = firstId === undefined ? undefined : kernels;
  const skip = skipUnlikely(values, temperature, noise, firstId ?? 0, skipping);
  let threshold = top.threshold;
  let element = 0;
  while (element < values.length) {
    element = skip(element, threshold);
    for (const end = Math.min(element + 8, values.length); element < end; element++) {
      const scaled = values[element]! / temperature;
      // Saves two logarithms for every token whose noise does not raise it above the best so far.
      const behind = threshold - scaled;
      if (behind >= maximumNoise) continue;
      if (!(scaled < Number.POSITIVE_INFINITY)) return false;
      const id = share.id(element);
      if (behind > 0 && !noise.mayReach(id, behind)) continue;
      top.offer(scaled + noise.of(id), element);
      threshold = top.threshold;
    }
  }
  return true;
}
