import type { RankActivity } from "@ringrank/collectives";

/**
 * Finds a rank that makes no progress. Peers that wait for it in a collective notice by themselves; this notices
 * where nobody waits: on one rank, or where all ranks are stuck.
 *
 * @param read the ranks' activity now
 * @param isWorking whether the rank still owes an answer
 * @param onSilent called once, with a rank that owes an answer and did nothing for `timeoutMs` to twice that
 * @returns ends the watch
 */
export function watchForSilence(
  timeoutMs: number,
  read: () => readonly RankActivity[],
  isWorking: (rank: number) => boolean,
  onSilent: (rank: number) => void,
): () => void {
  if (timeoutMs === Number.POSITIVE_INFINITY) return () => {};
  let before = read();
  const timer = setInterval(
    () => {
      const now = read();
      const silent = now.flatMap(({ count }, rank) =>
        isWorking(rank) && count === before[rank]!.count ? [rank] : [],
      );
      before = now;
      // A rank that waits for another is not the one to blame.
      const culprit = silent.find((rank) => !now[rank]!.isWaiting) ?? silent[0];
      if (culprit === undefined) return;
      clearInterval(timer);
      onSilent(culprit);
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  return () => clearInterval(timer);
}

/** Node's timers count milliseconds in 31 bits. */
const longestTimerMs = 2 ** 31 - 1;
