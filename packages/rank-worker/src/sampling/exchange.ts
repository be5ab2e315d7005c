import type { Communicator } from "@ringrank/collectives";
import type { RowSummary } from "./local-row.js";

/**
 * Summaries as 32-bit words, so that one all-gather moves all rows of a step. Every rank has the same rows with the
 * same limits, so the same length.
 *
 * ```
 * byte  0       4       8         16      24        32      40
 *      ┌───────┬───────┬─────────┬───────┬─────────┬───────┬──────────────────────┐
 *      │ flags │ count │ raw.max │  .sum │ adj.max │  .sum │ limit × (id, logit)  │
 *      └───────┴───────┴─────────┴───────┴─────────┴───────┴──────────────────────┘
 *       int32   int32   float64   float64 float64   float64  int32, float32
 * ```
 */
const headerBytes = 40;
const candidateBytes = 8;
const brokenFlag = 1;
const exhaustedFlag = 2;

/**
 * @param mine this rank's summaries, by row
 * @param limits by row: how many candidates a summary has at most
 * @returns by row, then by rank
 */
export function exchange(
  communicator: Communicator,
  mine: readonly RowSummary[],
  limits: readonly number[],
): RowSummary[][] {
  const sizes = limits.map((limit) => headerBytes + limit * candidateBytes);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const words = new Int32Array(total / 4);
  const view = new DataView(words.buffer);
  let at = 0;
  for (const [row, summary] of mine.entries()) {
    write(view, at, summary);
    at += sizes[row]!;
  }
  const gathered = communicator.allGather(words);
  const all = new DataView(gathered.buffer, gathered.byteOffset, gathered.byteLength);
  let start = 0;
  return sizes.map((size) => {
    const byRank = Array.from({ length: communicator.worldSize }, (_, rank) =>
      read(all, rank * total + start),
    );
    start += size;
    return byRank;
  });
}

function write(
  view: DataView,
  at: number,
  { broken, exhausted, candidates, raw, adjusted }: RowSummary,
): void {
  view.setInt32(at, (broken ? brokenFlag : 0) | (exhausted ? exhaustedFlag : 0));
  view.setInt32(at + 4, candidates.length);
  view.setFloat64(at + 8, raw.max);
  view.setFloat64(at + 16, raw.sum);
  view.setFloat64(at + 24, adjusted.max);
  view.setFloat64(at + 32, adjusted.sum);
  for (const [index, { id, logit }] of candidates.entries()) {
    view.setInt32(at + headerBytes + index * candidateBytes, id);
    view.setFloat32(at + headerBytes + index * candidateBytes + 4, logit);
  }
}

function read(view: DataView, at: number): RowSummary {
  const flags = view.getInt32(at);
  return {
    broken: (flags & brokenFlag) !== 0,
    exhausted: (flags & exhaustedFlag) !== 0,
    raw: { max: view.getFloat64(at + 8), sum: view.getFloat64(at + 16) },
    adjusted: { max: view.getFloat64(at + 24), sum: view.getFloat64(at + 32) },
    candidates: Array.from({ length: view.getInt32(at + 4) }, (_, index) => ({
      id: view.getInt32(at + headerBytes + index * candidateBytes),
      logit: view.getFloat32(at + headerBytes + index * candidateBytes + 4),
    })),
  };
}
