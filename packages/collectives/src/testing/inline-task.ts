import type { Communicator, RankTask } from "@ringrank/collectives";

/** A task's module as a data: URL, from a function that uses nothing from around it. */
export function inlineTask<Data>(task: RankTask<Data>): string {
  return moduleUrl(`export const run = ${task.toString()};`);
}

export interface CaughtError {
  readonly code: string;
  readonly message: string;
  readonly rank: number | undefined;
}

/** A task that returns the error which `call` throws, and the one which the next call throws: `[first, next]`. */
export function catchingTask<Data>(call: (comm: Communicator, data: Data) => unknown): string {
  return moduleUrl(`
    const call = ${call.toString()};
    export function run(comm, data) {
      return [() => call(comm, data), () => comm.barrier()].map((attempt) => {
        try {
          attempt();
        } catch ({ code, message, rank }) {
          return { code, message, rank };
        }
      });
    }`);
}

export function moduleUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
