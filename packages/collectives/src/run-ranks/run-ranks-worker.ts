/** The thread of one rank in {@link runRanks}: joins the group, runs the task, posts the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import { enterGroup } from "../group/join-group.js";
import type { Assignment, Outcome } from "./assignment.js";
import { loadTask } from "./task.js";

async function perform({ group, rank, algorithm, taskUrl, data }: Assignment): Promise<void> {
  const comm = enterGroup(group, rank, { algorithm });
  try {
    const task = await loadTask(taskUrl);
    const value = await task(comm, data);
    post({ kind: "result", value });
    comm.leave();
  } catch (error) {
    comm.poison(asFailure(error, rank));
    post({ kind: "failed" });
  }
}

function post(outcome: Outcome): void {
  parentPort?.postMessage(outcome);
}

function asFailure(error: unknown, rank: number): RingrankError {
  if (isRingrankError(error)) return error;
  return new RingrankError("RR_RANK_FAILED", `rank ${rank} threw ${String(error)}`, { rank, cause: error });
}

void perform(workerData as Assignment);
