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

export function sameSize(a: SizePair, b: SizePair): boolean {
  return a[0] === b[0] && Object.is(a[1], b[1]);
}

export function isOne(size: SizePair): boolean {
  return size[0] === 1 && size[1] === 1;
}

export function isZero(size: SizePair): boolean {
  return size[0] === 0 && size[1] === 0;
}

/** `a / b`, if that is an integer in both evaluations. */
export function quotient(a: SizePair, b: SizePair): SizePair | undefined {
  if (b[0] === 0 || b[1] === 0 || a[0] % b[0] !== 0 || a[1] % b[1] !== 0) return undefined;
  return [a[0] / b[0], a[1] / b[1]];
}

/** Two lists of equal length as a list of pairs. */
export function zip(first: readonly number[], second: readonly number[]): SizePair[] {
  return first.map((size, i) => [size, second[i]!]);
}
