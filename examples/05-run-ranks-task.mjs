// A function on several ranks: the softmax of scores that are spread over them. It takes two collectives of one number
// each, whatever the length: a maximum and a sum (Megatron-LM's loss over a sharded vocabulary, arXiv 1909.08053).

/**
 * Each rank holds a piece of `scores` and returns its piece of their softmax.
 *
 * @param scores `[n]`, the same on all ranks
 * @returns `[⌈n / ranks⌉]`; the last ranks' pieces may be shorter
 */
export function shardedSoftmax(comm, scores) {
  const pieceLength = Math.ceil(scores.length / comm.worldSize);
  const mine = scores.slice(comm.rank * pieceLength, (comm.rank + 1) * pieceLength);

  // Subtract the largest of all scores, so that no exponential overflows.
  const [largest] = comm.allReduce(Float32Array.of(Math.max(...mine)), "max");
  const exponentials = mine.map((score) => Math.exp(score - largest));
  const [total] = comm.allReduce(Float32Array.of(exponentials.reduce((sum, value) => sum + value, 0)));
  return exponentials.map((value) => value / total);
}
