import { inheritedExecArgv, threadAdvice } from "@ringrank/collectives";
import { messageOf, RingrankError } from "@ringrank/errors";
import type { RankWorkerTask } from "@ringrank/rank-worker";
import { ArrayTaskQueue, Piscina } from "piscina";
import type { Log } from "../logger.js";

/**
 * The ranks' threads, supervised by piscina. A rank has state, so it is a single task that does not return until the
 * rank is released: there are as many threads as ranks, and none is reused or retired. Ranks are identified by their
 * task, and a task that ends early means that its rank has died.
 *
 * Threads are only started for tasks (`minThreads` 0). Otherwise piscina would replace a crashed thread with a new one
 * that knows nothing, and if the crashed thread's `exit` event came after the pool was destroyed, nobody would end the
 * replacement.
 */
export class RankThreads {
  readonly #pool: Piscina;
  readonly #waiting = new WaitingTasks();
  readonly #tasks: readonly Promise<void>[];
  #running: number;

  /** @param onEnd called when a rank's task ends, with an error if it died instead of returning */
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
      // By default, the thread blocks in Atomics.wait between tasks, where comlink could not reach it.
      atomics: "disabled",
      recordTiming: false,
      taskQueue: this.#waiting,
      ...(execArgv && { execArgv }),
    });
    // Reports errors of a thread outside its task.
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

  /** Number of ranks whose task has not ended. */
  get running(): number {
    return this.#running;
  }

  /** Resolves when every rank's task has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  /** Ends the threads, even one in an endless loop. Only call this while no rank is inside native code. */
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

  /** If the system refuses to start a thread, piscina throws instead of returning a promise, and keeps the task. */
  #start(run: () => Promise<void>): Promise<void> {
    try {
      return run();
    } catch (error) {
      this.#waiting.dropLast();
      throw error;
    }
  }
}

/** Tasks whose threads have not started. */
class WaitingTasks extends ArrayTaskQueue {
  /** Prevents a later rejection of a promise that nobody has received, which would end the host. */
  dropLast(): void {
    this.tasks.pop();
  }
}
