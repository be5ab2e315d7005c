import type { LoadProgress } from "@ringrank/rank-worker";

/**
 * Passes on reports of ranks that load, as long as what a rank has read grows. A rank reports through another port than
 * the one on which it answers, so some reports arrive when it is already known that the rank has read everything.
 */
export function growingProgress(report: (progress: LoadProgress) => void): (progress: LoadProgress) => void {
  const reported = new Map<number, number>();
  return (progress) => {
    const { rank, bytesLoaded } = progress;
    if (bytesLoaded <= (reported.get(rank) ?? 0)) return;
    reported.set(rank, bytesLoaded);
    report(progress);
  };
}
