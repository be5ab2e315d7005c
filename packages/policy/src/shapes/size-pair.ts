/**
 * A size, or an element, at two settings of the symbolic dimensions. Where the two agree it is static; one that only
 * looks so is NaN at the second, which agrees with nothing.
 */
export type SizePair = readonly [number, number];

/** Whether a size or an element is the same at both settings. */
export function isStatic(pair: SizePair): boolean {
  return pair[0] === pair[1] || (Number.isNaN(pair[0]) && Number.isNaN(pair[1]));
}

/** What only looks static. */
export function unproven([first]: SizePair): SizePair {
  return [first, Number.NaN];
}

/** Whether other calls may have another size, though both settings have one. */
export function isUnproven([, second]: SizePair): boolean {
  return Number.isNaN(second);
}

/** Two lists of one length as a list of pairs. */
export function zip(first: readonly number[], second: readonly number[]): SizePair[] {
  return first.map((size, i) => [size, second[i]!]);
}
