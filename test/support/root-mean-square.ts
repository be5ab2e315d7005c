/** Of the differences of two lists of as many numbers. */
export function rootMeanSquare(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length);
}

/** By row of `width` numbers. */
export function rootMeanSquares(a: Float32Array, b: Float32Array, width: number): number[] {
  return Array.from({ length: a.length / width }, (_, row) => {
    const [one, other] = [a, b].map((all) => all.subarray(row * width, (row + 1) * width));
    return rootMeanSquare(one!, other!);
  });
}
