import { threadLimits } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { RankProgram } from "@ringrank/policy";

/**
 * Refuses to load if ONNX Runtime would not get all threads of its sessions, each of which has a pool. If it can start
 * only a part of a pool, it waits for that part to end, forever, in a native call that nobody can end
 * (https://github.com/microsoft/onnxruntime/issues/15146).
 *
 * @param left how many more threads the system allows
 * @throws RR_OPTION
 */
export function requireRoomForThreads(
  programs: readonly Pick<RankProgram, "segments">[],
  threadsPerRank: number,
  left: () => number,
): void {
  if (threadsPerRank === 1) return;
  const sessions = programs.reduce((sum, { segments }) => sum + segments.length, 0);
  const needed = sessions * (threadsPerRank - 1);
  const room = left();
  if (needed <= room) return;
  throw new RingrankError(
    "RR_OPTION",
    `threadsPerRank: expected at most ${Math.max(1, 1 + Math.floor(room / sessions))}, got ${threadsPerRank}: the ` +
      `model's ${sessions} sessions, of all ranks together, need ${needed} more threads, and the system allows ` +
      `${Math.max(0, room)} (${threadLimits})`,
  );
}
