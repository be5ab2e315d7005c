import type { RankActivity } from "@ringrank/collectives";

/**
 * Finds a rank that makes no progress. Peers that wait for a rank in a collective notice by themselves. This watchdog
 * covers cases in which nobody waits: with a single rank, or if all ranks are stuck.
 *
 * Time is the sum of timer ticks, not a clock reading. If the process was stopped (Ctrl-Z, a frozen container), at most
 * one tick is due when it resumes, however long that was, before its ranks could make progress.
 *
 * @param read returns the ranks' current activity
 * @param isWorking whether the rank still owes an answer
 * @param onSilent called once, with a rank that owes an answer and has done nothing for `timeoutMs`, or up to a quarter
 * more
 * @returns a function that ends the watch
 */
export function watchForSilence(
  timeoutMs: number,
  read: () => readonly RankActivity[],
  isWorking: (rank: number) => boolean,
  onSilent: (rank: number) => void,
): () => void {
  if (timeoutMs === Number.POSITIVE_INFINITY) return () => {};
  const turnMs = Math.min(Math.ceil(timeoutMs / 4), longestTimerMs);
  let before = read();
  /** Consecutive silent ticks, by rank. */
  const silentTurns = before.map(() => 0);
  const timer = setInterval(() => {
    const now = read();
    for (const [rank, { count }] of now.entries()) {
      const isSilent = isWorking(rank) && count === before[rank]!.count;
      silentTurns[rank] = isSilent ? silentTurns[rank]! + 1 : 0;
    }
    before = now;
    const silent = [...now.keys()].filter((rank) => silentTurns[rank]! * turnMs >= timeoutMs);
    // A rank that waits for another one is not to blame.
    const culprit = silent.find((rank) => !now[rank]!.isWaiting) ?? silent[0];
    if (culprit === undefined) return;
    clearInterval(timer);
    onSilent(culprit);
  }, turnMs);
  return () => clearInterval(timer);
}

/** Node's timers count milliseconds in 31 bits. */
const longestTimerMs = 2 ** 31 - 1;
