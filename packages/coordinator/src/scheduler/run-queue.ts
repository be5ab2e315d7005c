import { onAbort } from "@ringrank/collectives";
import type { RunRequest, RunResult } from "@ringrank/rank-worker";

/** A run of a whole graph that waits for its turn. */
export interface QueuedRun {
  readonly request: RunRequest;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Runs of whole graphs, in the order in which they were requested. */
export class RunQueue {
  readonly #runs = new Set<QueuedRun>();

  /** The run whose turn is next. It stays in the queue until it is taken out. */
  get first(): QueuedRun | undefined {
    const [first] = this.#runs;
    return first;
  }

  /** Settles with the run, or rejects with the signal's reason as soon as it is aborted. */
  add(request: RunRequest, signal: AbortSignal | undefined): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const settled = onAbort(signal, () => queued.reject(signal?.reason));
      const queued: QueuedRun = {
        request,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (reason) => {
          settled();
          this.#runs.delete(queued);
          reject(reason);
        },
      };
      this.#runs.add(queued);
    });
  }

  takeOut(run: QueuedRun): void {
    this.#runs.delete(run);
  }

  rejectAll(error: unknown): void {
    for (const run of this.#runs) run.reject(error);
  }
}
