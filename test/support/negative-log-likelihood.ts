/** Of each token after the first, given those before it: the mean over `ids`, whose logits are `[ids, vocabulary]`. */
export function meanNegativeLogLikelihood(logits: Float32Array, ids: readonly number[]): number {
  const vocabulary = logits.length / ids.length;
  let sum = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const row = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
    const largest = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const total = row.reduce((exponentials, logit) => exponentials + Math.exp(logit - largest), 0);
    sum += largest + Math.log(total) - row[ids[position + 1]!]!;
  }
  return sum / (ids.length - 1);
}
