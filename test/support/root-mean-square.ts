import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";

interface Output {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** Of the differences between two lists of equal length. */
export function rootMeanSquare(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length);
}

/**
 * The fraction of rows that are equal in two tensors, up to rounding: those whose root-mean-square difference is less
 * than a tenth of the standard deviation of all elements. Activations are rounded to 1/254 of the largest value of a
 * block or a group, so one row in twenty may be routed to another expert, and then differs completely.
 */
export function shareOfCloseRows(own: Output, expected: Output): number {
  const [a, b] = [own, expected].map(({ data }) => data as Float32Array) as [Float32Array, Float32Array];
  const width = expected.dims.at(-1)!;
  const rows = Array.from(
    { length: b.length / width },
    (_, row) => [row * width, (row + 1) * width] as const,
  );
  const isClose = ([from, to]: readonly [number, number]): boolean =>
    rootMeanSquare(a.subarray(from, to), b.subarray(from, to)) < 0.1 * standardDeviation(b);
  return rows.filter(isClose).length / rows.length;
}
