import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";

interface Output {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** Of the differences of two lists of as many numbers. */
export function rootMeanSquare(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length);
}

/**
 * The share of rows that two tensors have alike, but for roundings: whose root mean square differs by less than a tenth
 * of the standard deviation of all. Activations are rounded to 1/254 of the largest of a block or a group; a row in
 * twenty may go to another expert for that, and is then another one.
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
