/** One rank of the sampling tests, for `runRanks`: chooses tokens from its part of given logits. */
import { chooseTokens } from "../../dist/sampling/choose-tokens.js";
import { VocabularyShare } from "../../dist/sampling/vocabulary-share.js";

/** Each case is one step: rows of whole logits, of which this rank takes its part. */
export function run(communicator, { cases, shard }) {
  const { rank, worldSize } = communicator;
  return cases.map(({ rows }) => {
    const vocabulary = rows[0].logits.length;
    const share = new VocabularyShare(vocabulary, shard, rank, worldSize);
    return chooseTokens(
      communicator,
      share,
      rows.map((row) => ({ ...row, logits: shard ? part(row.logits, shard.intervals[rank]) : row.logits })),
    );
  });
}

function part(logits, intervals) {
  return Float32Array.from(intervals.flatMap(([start, end]) => [...logits.subarray(start, end)]));
}
