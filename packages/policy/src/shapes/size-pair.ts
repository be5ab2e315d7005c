/**
 * A size, or an element, at two settings of the symbolic dimensions. If the two agree, it is static; one that only
 * looks static is NaN at the second setting, which agrees with nothing.
 */
export type SizePair = readonly [number, number];

/** Whether a size or an element is the same at both settings. */
export function isStatic(pair: SizePair): boolean {
  return pair[0] === pair[1] || (Number.isNaN(pair[0]) && Number.isNaN(pair[1]));
}

/** Marks a value that only looks static. */
export function unproven([first]: SizePair): SizePair {
  return [first, Number.NaN];
}

/** Whether other calls may have another size, although both settings have the same. */
export function isUnproven([, second]: SizePair): boolean {
  return Number.isNaN(second);
}

/** Two lists of equal length as a list of pairs. */
export function zip(first: readonly number[], second: readonly number[]): SizePair[] {
  return first.map((size, i) => [size, second[i]!]);
}
