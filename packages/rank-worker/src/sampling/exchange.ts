import type { Communicator } from "@ringrank/collectives";
import { RowSummary } from "./row-summary.js";

/**
 * Exchanges the summaries of all ranks, in one all-gather for all rows of a step. Every rank has the same rows with the
 * same limits, and so the same length.
 *
 * @param limits by row: the most candidates of a summary
 * @param summarize fills this rank's summary of a row, which starts empty
 * @returns by row, then by rank
 */
export function exchange(
  communicator: Communicator,
  limits: readonly number[],
  summarize: (row: number, summary: RowSummary) => void,
): RowSummary[][] {
  const starts: number[] = [];
  let total = 0;
  for (const limit of limits) {
    starts.push(total);
    total += RowSummary.words(limit);
  }
  const { rank, worldSize } = communicator;
  const out = new Int32Array(worldSize * total);
  const mine = out.subarray(rank * total, (rank + 1) * total);
  for (let row = 0; row < limits.length; row++) {
    summarize(row, new RowSummary(mine, starts[row]!, limits[row]!));
  }
  communicator.allGather(mine, { out });
  return Array.from(limits, (limit, row) => {
    const byRank: RowSummary[] = [];
    for (let from = 0; from < worldSize; from++) {
      byRank.push(new RowSummary(out, from * total + starts[row]!, limit));
    }
    return byRank;
  });
}
