/** A message cut into one contiguous piece per rank. */
export interface Pieces {
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
  /** Elements of the longest piece. */
  readonly longest: number;
}

export function piecesOf(counts: readonly number[]): Pieces {
  const starts: number[] = [];
  let total = 0;
  let longest = 0;
  for (const count of counts) {
    starts.push(total);
    total += count;
    if (count > longest) longest = count;
  }
  return { starts, counts, total, longest };
}

/** Near-even counts of `total` elements over `ranks`: the first `total mod ranks` pieces have one more. */
export function nearEven(total: number, ranks: number): number[] {
  const base = Math.floor(total / ranks);
  return Array.from({ length: ranks }, (_, rank) => base + (rank < total % ranks ? 1 : 0));
}

/** Number of elements of piece `rank` inside a window that starts `from` elements into every piece. */
export function lengthInWindow(pieces: Pieces, rank: number, from: number, windowLength: number): number {
  return Math.max(0, Math.min(pieces.counts[rank]! - from, windowLength));
}
