import { Worker } from "node:worker_threads";
import { messageOf, RingrankError } from "@ringrank/errors";
import { afterRunning } from "../running-time.js";
import type { Assignment, Outcome } from "./assignment.js";
import { inheritedExecArgv } from "./inherited-exec-argv.js";
import { textOf } from "./text-of.js";
import { threadAdvice } from "./thread-advice.js";

const adviceOn = (cause: unknown): string => threadAdvice(cause, "@ringrank/collectives");

/** The events that a {@link RankThread} reports. */
interface RankListener {
  result(rank: number, value: unknown): void;
  /** `error` is what this side saw; the group's poison may have an earlier cause. */
  failed(error: RingrankError): void;
}

/** One rank's thread, from the outside. */
export class RankThread {
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;

  /** @throws RR_OPTION if the data cannot be cloned or Node refuses `execArgv`. */
  constructor(assignment: Assignment, execArgv: readonly string[] | undefined, listener: RankListener) {
    const { rank } = assignment;
    this.#worker = startWorker(assignment, execArgv);
    this.#exited = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.on("message", (outcome: Outcome) => {
      if (outcome.kind === "result") listener.result(rank, outcome.value);
      else listener.failed(new RingrankError("RR_RANK_FAILED", `rank ${rank} failed`, { rank }));
    });
    this.#worker.on("error", (cause) => {
      const what = textOf(cause) + adviceOn(cause);
      const message = `rank ${rank} ended with an uncaught error: ${what}`;
      listener.failed(new RingrankError("RR_RANK_FAILED", message, { rank, cause }));
    });
    // After a result or a failure, this comes too late to count.
    this.#worker.on("exit", (exitCode) => {
      const message =
        `rank ${rank}: its thread ended with exit code ${exitCode} before the task returned; ` +
        "a task must return or throw; it must not call process.exit(), or await something that never settles";
      listener.failed(new RingrankError("RR_RANK_DIED", message, { rank }));
    });
  }

  /** Resolves once the thread has ended: by itself within `graceMs`, or terminated. */
  async end(graceMs: number): Promise<void> {
    const stopTimer = afterRunning(graceMs, () => void this.#worker.terminate());
    await this.#exited;
    stopTimer();
  }
}

function startWorker(assignment: Assignment, execArgv: readonly string[] | undefined): Worker {
  const given = execArgv ?? inheritedExecArgv();
  try {
    return new Worker(new URL("./run-ranks-worker.js", import.meta.url), {
      workerData: assignment,
      name: `ringrank rank ${assignment.rank}`,
      ...(given && { execArgv: [...given] }),
    });
  } catch (cause) {
    const what = messageOf(cause) + adviceOn(cause);
    throw new RingrankError(
      "RR_OPTION",
      `the thread of rank ${assignment.rank} could not be started: expected data that can be cloned by structured clone, ` +
        `execArgv that worker threads accept, and a system that can start another thread; ${what}`,
      { cause },
    );
  }
}
