import type { RankActivity } from "@ringrank/collectives";

/**
 * Finds a rank that makes no progress. Peers that wait for it in a collective notice by themselves; this notices
 * where nobody waits: on one rank, or where all ranks are stuck.
 *
 * Time is what a timer's turns add up to, not what a clock says: a process that was stopped (Ctrl-Z, a container that
 * is frozen) finds one of them due when it goes on, however long that was, before its ranks could move.
 *
 * @param read the ranks' activity now
 * @param isWorking whether the rank still owes an answer
 * @param onSilent called once, with a rank that owes an answer and did nothing for `timeoutMs`, or a quarter more
 * @returns ends the watch
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
  /** By rank, in a row. */
  const silentTurns = before.map(() => 0);
  const timer = setInterval(() => {
    const now = read();
    for (const [rank, { count }] of now.entries()) {
      const isSilent = isWorking(rank) && count === before[rank]!.count;
      silentTurns[rank] = isSilent ? silentTurns[rank]! + 1 : 0;
    }
    before = now;
    const silent = [...now.keys()].filter((rank) => silentTurns[rank]! * turnMs >= timeoutMs);
    // A rank that waits for another is not the one to blame.
    const culprit = silent.find((rank) => !now[rank]!.isWaiting) ?? silent[0];
    if (culprit === undefined) return;
    clearInterval(timer);
    onSilent(culprit);
  }, turnMs);
  return () => clearInterval(timer);
}

/** Node's timers count milliseconds in 31 bits. */
const longestTimerMs = 2 ** 31 - 1;
