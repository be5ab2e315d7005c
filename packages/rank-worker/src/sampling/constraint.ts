import type { SamplingParameters } from "../protocol.js";

/**
 * Tokens that may not be chosen, or the only ones that may, as transformers' `NoRepeatNGramLogitsProcessor` and
 * `ForcedEOSTokenLogitsProcessor` have it.
 */
export interface Constraint {
  readonly banned: ReadonlySet<number>;
  /** Then all of these are as likely. */
  readonly only?: readonly number[];
}

export const unconstrained: Constraint = { banned: new Set() };

/**
 * @param tokens what the sequence has, in order
 * @param position of the token to be chosen
 */
export function constraintOf(
  { noRepeatNgramSize, forcedEnd }: SamplingParameters,
  tokens: readonly number[],
  position: number,
): Constraint {
  if (forcedEnd?.position === position) return { banned: unconstrained.banned, only: forcedEnd.ids };
  return noRepeatNgramSize > 0 ? { banned: endsOfRepeated(tokens, noRepeatNgramSize) } : unconstrained;
}

/** The tokens with which a run of `size` tokens that is there already would be there again. */
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
