import { inheritedExecArgv, threadAdvice } from "@ringrank/collectives";
import { messageOf, RingrankError } from "@ringrank/errors";
import type { RankWorkerTask } from "@ringrank/rank-worker";
import { ArrayTaskQueue, Piscina } from "piscina";
import type { Log } from "../logger.js";

/**
 * The ranks' threads, under piscina's supervision. A rank has state, so it is one task that does not return until
 * the rank is released: as many threads as ranks, none reused, none retired. Ranks are told apart by their task, and
 * a task that ends early is the death of its rank.
 *
 * A thread is started for each task, and none besides (`minThreads` 0): piscina would replace a thread that crashed
 * by a fresh one, which knows nothing, and when the crashed one's `exit` comes after the pool was destroyed, nobody
 * would end the replacements.
 */
export class RankThreads {
  readonly #pool: Piscina;
  readonly #waiting = new WaitingTasks();
  readonly #tasks: readonly Promise<void>[];
  #running: number;

  /** @param onEnd called when a rank's task ends, with an error if it died rather than returned */
  constructor(
    tasks: readonly RankWorkerTask[],
    {
      workerUrl = new URL("./rank-worker.js", import.meta.url).href,
      logger,
    }: { workerUrl: string | undefined; logger: Log },
    onEnd: (rank: number, error: RingrankError | undefined) => void,
  ) {
    const execArgv = inheritedExecArgv();
    this.#pool = new Piscina({
      minThreads: 0,
      maxThreads: tasks.length,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // The default blocks the thread between tasks in Atomics.wait, where comlink could not reach it.
      atomics: "disabled",
      recordTiming: false,
      taskQueue: this.#waiting,
      ...(execArgv && { execArgv }),
    });
    // A thread reports here what happens to it outside its task.
    this.#pool.on("error", (error: unknown) =>
      logger.warn({ err: error }, "a thread failed outside its task"),
    );
    this.#running = tasks.length;
    this.#tasks = tasks.map(async (task) => {
      const error = await this.#run(task, workerUrl);
      this.#running--;
      onEnd(task.rank, error);
    });
  }

  /** Ranks whose task has not ended. */
  get running(): number {
    return this.#running;
  }

  /** Resolves when every rank's task has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  /** Ends the threads, also one in an endless loop. Only while no rank is inside native code. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }

  async #run(task: RankWorkerTask, workerUrl: string): Promise<RingrankError | undefined> {
    const { rank, port, steps } = task;
    try {
      await this.#start(() =>
        this.#pool.run(task, { filename: workerUrl, name: "serveRank", transferList: [port, steps] }),
      );
      return undefined;
    } catch (cause) {
      const what = messageOf(cause) + threadAdvice(cause, "@ringrank/coordinator");
      const message = `the thread of rank ${rank} ended: ${what}`;
      return new RingrankError("RR_RANK_DIED", message, { rank, cause });
    }
  }

  /** Where the system starts no thread, piscina throws in place of giving a promise, and keeps the task. */
  #start(run: () => Promise<void>): Promise<void> {
    try {
      return run();
    } catch (error) {
      this.#waiting.dropLast();
      throw error;
    }
  }
}

/** Tasks whose threads are not there yet. */
class WaitingTasks extends ArrayTaskQueue {
  /** So that a promise that nobody was given does not reject later, which would end the host. */
  dropLast(): void {
    this.tasks.pop();
  }
}
