import { RingrankError, requireOptions, show } from "@ringrank/errors";
import type { Algorithm } from "../communicator.js";
import { createGroup, type GroupOptions } from "../group/group.js";
import { requireAlgorithm } from "../group/join-group.js";
import { poison, poisonCause } from "../group/poison.js";
import { onAbort } from "../on-abort.js";
import { afterRunning } from "../running-time.js";
import { RankThread } from "./rank-thread.js";
import { requireTaskUrl } from "./task.js";

export interface RunRanksOptions extends Omit<GroupOptions, "worldSize"> {
  /**
   * How long the whole run may take, in milliseconds. Default 60 000, minimum 1; `Infinity` allowed. Time during which
   * the process is stopped (Ctrl-Z, a laptop asleep) does not count.
   */
  readonly timeoutMs?: number | undefined;
  /** Aborts the run; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Node options of the ranks' threads; default: those of this process. TypeScript requires a loader here before Node
   * 22.18.
   */
  readonly execArgv?: readonly string[] | undefined;
  /** Default `auto`. */
  readonly algorithm?: Algorithm | undefined;
}

/**
 * Runs a function on every rank of a new group, each in its own thread, and resolves with their return values, by rank.
 * The module at `taskUrl` exports that function of `(comm, data)`: as `run`, as its default, or as its only function.
 *
 * It rejects with the root cause: if one rank throws, and the others fail because of that, with the error of that rank.
 * When it settles, no thread is left. Ranks that do not end by themselves are terminated, which takes the process down
 * if one is inside native code at that moment.
 *
 * @throws RR_RANKS, RR_TASK_URL and RR_OPTION for the arguments; RR_RANK_FAILED with the task's error as its cause (an
 * error with a code of its own is unchanged); RR_RANK_DIED if a thread ends early; RR_TIMEOUT; the signal's reason
 */
export async function runRanks<Result = unknown, Data = unknown>(
  worldSize: number,
  taskUrl: string | URL,
  data?: Data,
  options: RunRanksOptions = {},
): Promise<Result[]> {
  requireOptions(options, optionNames);
  const { timeoutMs = 60_000, signal, execArgv, algorithm = "auto", ...groupOptions } = options;
  const group = createGroup({ ...groupOptions, worldSize });
  requireTimeout(timeoutMs);
  requireAlgorithm(algorithm);
  requireSignal(signal);
  requireExecArgv(execArgv);
  const url = requireTaskUrl(taskUrl);
  signal?.throwIfAborted();

  const threads: RankThread[] = [];
  let stopTimer: (() => void) | undefined;
  let ignoreAbort: (() => void) | undefined;
  try {
    return await new Promise<Result[]>((resolve, reject) => {
      const results = new Map<number, unknown>();
      const fail = (error: RingrankError) => {
        poison(group, error);
        reject(RingrankError.fromData(poisonCause(group)!));
      };
      const result = (rank: number, value: unknown) => {
        results.set(rank, value);
        if (results.size < worldSize) return;
        resolve(Array.from({ length: worldSize }, (_, index) => results.get(index) as Result));
      };
      // A rank that has returned may exit.
      const failed = (error: RingrankError) => {
        if (error.code !== "RR_RANK_DIED" || !results.has(error.rank!)) fail(error);
      };
      ignoreAbort = onAbort(signal, () => {
        reject(signal?.reason);
        poison(group, new RingrankError("RR_ABORTED", "the caller aborted the run"));
      });
      if (timeoutMs !== Number.POSITIVE_INFINITY) {
        stopTimer = afterRunning(timeoutMs, () => fail(timeoutError(worldSize, results, timeoutMs)));
      }
      for (let rank = 0; rank < worldSize; rank++) {
        const assignment = { group, rank, algorithm, taskUrl: url, data };
        threads.push(new RankThread(assignment, execArgv, { result, failed }));
      }
    });
  } catch (error) {
    poison(group, RingrankError.wrap(error, "RR_RANK_FAILED"));
    throw error;
  } finally {
    stopTimer?.();
    ignoreAbort?.();
    await Promise.all(threads.map((thread) => thread.end(graceMs)));
  }
}

const optionNames = ["timeoutMs", "signal", "execArgv", "algorithm", "stepTimeoutMs", "windowBytes", "wire"];

/** How long ranks may take to end by themselves once the run has settled. */
const graceMs = 500;

function requireTimeout(timeoutMs: number): void {
  const timer = Number.isFinite(timeoutMs) && timeoutMs >= 1 && timeoutMs <= 2 ** 31 - 1;
  if (!timer && timeoutMs !== Number.POSITIVE_INFINITY) {
    throw new RingrankError(
      "RR_OPTION",
      `timeoutMs: expected a number of milliseconds from 1 to 2147483647, or Infinity; got ${show(timeoutMs)}`,
    );
  }
}

function requireSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new RingrankError("RR_OPTION", `signal: expected an AbortSignal; got ${show(signal)}`);
}

/** A string would be spread into options of one character each, which Node silently accepts. */
function requireExecArgv(execArgv: unknown): void {
  if (execArgv === undefined) return;
  if (Array.isArray(execArgv) && execArgv.every((option) => typeof option === "string")) return;
  throw new RingrankError(
    "RR_OPTION",
    `execArgv: expected an array of Node's options; got ${show(execArgv)}`,
  );
}

function timeoutError(worldSize: number, results: Map<number, unknown>, timeoutMs: number): RingrankError {
  const late = Array.from({ length: worldSize }, (_, rank) => rank).filter((rank) => !results.has(rank));
  return new RingrankError(
    "RR_TIMEOUT",
    `expected every rank to return within timeoutMs = ${timeoutMs}; still working: ${late.join(", ")}`,
    late.length === 1 ? { rank: late[0] } : {},
  );
}
