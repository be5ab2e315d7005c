import type { CollectiveArray, Communicator, GatherOptions } from "@ringrank/collectives";

/** Thrown where a rank needs parts that other ranks have not given yet. */
class Waiting extends Error {}

/**
 * Runs what each rank does, in turn on one thread, where all-gathers are the only collectives. A rank that waits for
 * others begins again once they have given their parts, so `run` must do the same each time, and change nothing.
 *
 * @returns how each rank ended. As in a group, a rank that waits for one that has failed fails with the same error.
 */
export function onOneThread<Result>(
  worldSize: number,
  run: (communicator: Communicator) => Result,
): PromiseSettledResult<Result>[] {
  /** By call, what all ranks gave. */
  const gathered: CollectiveArray[][] = [];
  for (;;) {
    const parts: CollectiveArray[] = [];
    const ends = Array.from({ length: worldSize }, (_, rank): PromiseSettledResult<Result> => {
      let calls = 0;
      const allGather = <T extends CollectiveArray>(part: T, { out }: GatherOptions<T> = {}): T => {
        const all = gathered[calls++] as T[] | undefined;
        if (all === undefined) {
          parts.push(part.slice());
          throw new Waiting();
        }
        const whole = out ?? (new (part.constructor as Float32ArrayConstructor)(totalOf(all)) as T);
        let start = 0;
        for (const one of all) {
          whole.set(one, start);
          start += one.length;
        }
        return whole;
      };
      try {
        const communicator: Partial<Communicator> = { rank, worldSize, allGather };
        return { status: "fulfilled", value: run(communicator as Communicator) };
      } catch (reason) {
        return { status: "rejected", reason };
      }
    });
    const isWaiting = (end: PromiseSettledResult<Result>) =>
      end.status === "rejected" && end.reason instanceof Waiting;
    if (!ends.some(isWaiting)) return ends;
    if (!ends.every(isWaiting)) {
      const failed = ends.find((end) => end.status === "rejected" && !isWaiting(end));
      if (failed === undefined) throw new Error("some ranks wait for parts that others do not give");
      return ends.map((end) => (isWaiting(end) ? failed : end));
    }
    gathered.push(parts);
  }
}

function totalOf(parts: readonly CollectiveArray[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** The value of each rank; throws the error of the first rank that has failed. */
export function valuesOf<Result>(ends: readonly PromiseSettledResult<Result>[]): Result[] {
  return ends.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
}
