import { type GraphBuilder, interfaceNames, type Value } from "../../graph/index.js";
import { additiveMask } from "./additive-mask.js";

/** The inputs of an encoder, int64 `[batch, sequence]` each; see `interfaceNames`. */
export interface EncoderInput {
  readonly inputIds: Value;
  readonly attentionMask: Value;
}

/** @param length symbol of the dimension; differs from `sequence` if a decoder has that name for its own input */
export function encoderInput(g: GraphBuilder, length = "sequence"): EncoderInput {
  const perToken = (name: string): Value => g.input(name, "int64", ["batch", length]);
  return {
    inputIds: perToken(interfaceNames.inputIds),
    attentionMask: perToken(interfaceNames.attentionMask),
  };
}

/** `0, 1, …`, int64 `[sequence]`. */
function indicesOf(g: GraphBuilder, { inputIds }: EncoderInput): Value {
  return g.range(g.squeeze(g.shape(inputIds, 1, 2), [0]));
}

/** Positions from 0 in every row, counting padding too: int64 `[batch, sequence]`. */
export function consecutivePositions(g: GraphBuilder, input: EncoderInput): Value {
  return g.expand(g.unsqueeze(indicesOf(g, input), [0]), g.shape(input.inputIds, 0, 2));
}

/**
 * Positions as indices of RoBERTa's table: tokens count from `padding + 1`, padding tokens are all at `padding`. int64
 * `[batch, sequence]`.
 *
 * @param paddingToken id of the padding token
 * @param padding its position
 */
export function positionsAfterPadding(
  g: GraphBuilder,
  inputIds: Value,
  { paddingToken, padding }: { readonly paddingToken: number; readonly padding: number },
): Value {
  const counts = g.cast(g.not(g.equal(inputIds, g.integer(paddingToken))), "int64");
  return g.add(g.mul(g.cumSum(counts, 1), counts), g.integer(padding));
}

/** The distance from each query to each key, `key − query`: int64 `[sequence, sequence]`, one row per query. */
export function distancesOf(g: GraphBuilder, input: EncoderInput): Value {
  const indices = indicesOf(g, input);
  return g.sub(g.unsqueeze(indices, [0]), g.unsqueeze(indices, [1]));
}

/**
 * An additive mask that hides padding: float32 `[batch, 1, 1, sequence]`. With `reach`, it also hides keys that are
 * farther than that from the query, on either side: `[batch, 1, sequence, sequence]`.
 *
 * A window is only a band in the mask: scores outside the band are computed too, and have no effect.
 */
export function attentionMaskOf(g: GraphBuilder, input: EncoderInput, reach?: number): Value {
  let seen = g.unsqueeze(g.cast(input.attentionMask, "bool"), [1, 2]);
  if (reach !== undefined) {
    const near = g.lessOrEqual(g.abs(distancesOf(g, input)), g.integer(reach));
    seen = g.and(seen, near);
  }
  return additiveMask(g, seen);
}
