/** The mean over `ids` after the first, each given those before it. Logits are `[ids, vocabulary]`. */
export function meanNegativeLogLikelihood(logits: Float32Array, ids: readonly number[]): number {
  const vocabulary = logits.length / ids.length;
  let sum = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const row = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
    let largest = Number.NEGATIVE_INFINITY;
    for (const logit of row) largest = Math.max(largest, logit);
    let total = 0;
    for (const logit of row) total += Math.exp(logit - largest);
    sum += largest + Math.log(total) - row[ids[position + 1]!]!;
  }
  return sum / (ids.length - 1);
}
