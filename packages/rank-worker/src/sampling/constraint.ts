import type { SamplingParameters } from "../protocol.js";

/**
 * Tokens that may not be chosen, or the only ones that may, as in transformers' `NoRepeatNGramLogitsProcessor` and
 * `ForcedEOSTokenLogitsProcessor`.
 */
export interface Constraint {
  readonly banned: ReadonlySet<number>;
  /** All of these are equally likely. */
  readonly only?: readonly number[];
}

export const unconstrained: Constraint = { banned: new Set() };

/**
 * @param tokens the sequence's tokens, in order
 * @param position the position of the token to be chosen
 */
export function constraintOf(
  { noRepeatNgramSize, forcedEnd }: SamplingParameters,
  tokens: readonly number[],
  position: number,
): Constraint {
  if (forcedEnd?.position === position) return { banned: unconstrained.banned, only: forcedEnd.ids };
  return noRepeatNgramSize > 0 ? { banned: endsOfRepeated(tokens, noRepeatNgramSize) } : unconstrained;
}

/** The tokens that would repeat an existing n-gram of `size` tokens. */
function endsOfRepeated(tokens: readonly number[], size: number): ReadonlySet<number> {
  const ends = new Set<number>();
  const last = tokens.length - size + 1;
  for (let start = 0; start < last; start++) {
    let same = 0;
    while (same < size - 1 && tokens[start + same] === tokens[last + same]) same++;
    if (same === size - 1) ends.add(tokens[start + same]!);
  }
  return ends;
}
