/**
 * The most tokens of one batch, including padding: its hidden states cross threads, and pooling them blocks the caller.
 */
const maxBatchTokens = 4096;
const maxBatchRows = 32;

/**
 * Groups sequences of similar lengths, so that little of a batch is padding.
 *
 * @param lengths in tokens, by sequence
 * @param mayPad whether the model can be told what is padding; if not, all sequences of a batch have the same length
 * @returns indices of sequences, by batch; a sequence longer than a batch forms one by itself
 */
export function batchesByLength(lengths: readonly number[], mayPad = true): number[][] {
  const longestFirst = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  const batches: number[][] = [];
  let rows = 0;
  for (const index of longestFirst) {
    const batch = batches.at(-1);
    const fits = batch !== undefined && (mayPad || lengths[batch[0]!] === lengths[index]);
    if (!fits || batch.length === rows) {
      rows = Math.max(1, Math.min(maxBatchRows, Math.floor(maxBatchTokens / lengths[index]!)));
      batches.push([index]);
    } else {
      batch.push(index);
    }
  }
  return batches;
}

/** The inputs of a batch: rows padded on the right to the longest, and the attention mask. */
export function paddedBatch(rows: readonly (readonly number[])[]): {
  readonly ids: number[][];
  readonly mask: number[][];
} {
  const width = Math.max(...rows.map((row) => row.length));
  const columns = [...Array(width).keys()];
  return {
    // Any token can be used for padding, because the mask hides it.
    ids: rows.map((row) => columns.map((at) => row[at] ?? 0)),
    mask: rows.map((row) => columns.map((at) => (at < row.length ? 1 : 0))),
  };
}
