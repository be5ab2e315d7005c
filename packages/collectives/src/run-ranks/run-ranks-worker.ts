/** The thread of one rank in {@link runRanks}: joins the group, runs the task, posts the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import { GroupMemory } from "../group/group-memory.js";
import { enterGroup } from "../group/join-group.js";
import { poisonFrom } from "../group/poison.js";
import type { Assignment, Outcome } from "./assignment.js";
import { loadTask } from "./task.js";
import { textOf } from "./text-of.js";

async function perform({ group, rank, algorithm, taskUrl, data }: Assignment): Promise<void> {
  try {
    // Loaded before joining, so that a slow import does not count as a step.
    const task = await loadTask(taskUrl);
    const comm = enterGroup(group, rank, { algorithm });
    const value = await task(comm, data);
    postResult(value, rank);
    comm.leave();
  } catch (error) {
    poisonFrom(new GroupMemory(group), rank, asFailure(error, rank).toData());
    post({ kind: "failed" });
  }
}

/** @throws RR_RANK_FAILED if it cannot be cloned */
function postResult(value: unknown, rank: number): void {
  try {
    post({ kind: "result", value });
  } catch (cause) {
    throw new RingrankError(
      "RR_RANK_FAILED",
      `rank ${rank} returned what cannot be cloned for another thread: ${textOf(cause)}; return plain data`,
      { rank, cause },
    );
  }
}

function post(outcome: Outcome): void {
  parentPort?.postMessage(outcome);
}

function asFailure(error: unknown, rank: number): RingrankError {
  if (isRingrankError(error)) return error;
  return new RingrankError("RR_RANK_FAILED", `rank ${rank} threw ${textOf(error)}`, { rank, cause: error });
}

void perform(workerData as Assignment);
