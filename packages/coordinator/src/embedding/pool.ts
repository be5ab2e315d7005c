/** Hidden states `[rows, width, lanes]` of sequences padded on the right. */
export interface HiddenStates {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * One vector for each sequence of a batch.
 *
 * @param lengths tokens of each row; the rest is padding
 * @returns `[rows, lanes]`, by row: the mean of its tokens' states (Sentence-BERT, arXiv 1908.10084), or the state of
 * its first token
 */
export function pool(
  { data, dims }: HiddenStates,
  lengths: readonly number[],
  pooling: "mean" | "cls",
): Float32Array[] {
  const [, width = 0, lanes = 0] = dims;
  return lengths.map((length, row) => {
    const tokens = pooling === "cls" ? 1 : length;
    const sums = new Float64Array(lanes);
    for (let token = 0; token < tokens; token++) {
      const start = (row * width + token) * lanes;
      for (let lane = 0; lane < lanes; lane++) sums[lane]! += data[start + lane]!;
    }
    return Float32Array.from(sums, (sum) => sum / tokens);
  });
}

/** `vector` divided by its Euclidean length; a zero vector stays zero. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
