/**
 * A program that stops itself while rank 0 waits for rank 1, and is continued by its parent after longer than the
 * timeout. It writes that it will stop, then the sums, or what went wrong.
 */
import { createGroup, runRanks } from "@ringrank/collectives";

const source = `
  import { writeSync } from "node:fs";
  import { groupActivity, joinGroup } from ${JSON.stringify(import.meta.resolve("@ringrank/collectives"))};
  export function run({ rank }, group) {
    const comm = joinGroup(group, rank);
    if (rank === 1) {
      const idle = new Int32Array(new SharedArrayBuffer(4));
      while (!groupActivity(group)[0].isWaiting) Atomics.wait(idle, 0, 0, 1);
      // Two of rank 0's looks whether this rank moves, before and after.
      Atomics.wait(idle, 0, 0, 100);
      writeSync(1, "stopping\\n");
      // The signal comes from here: from the parent, it could take longer than the timeout.
      process.kill(process.pid, "SIGSTOP");
      Atomics.wait(idle, 0, 0, 100);
    }
    return comm.allReduce(Int32Array.of(rank))[0];
  }`;
const task = `data:text/javascript,${encodeURIComponent(source)}`;
const group = createGroup({ worldSize: 2, stepTimeoutMs: 1000 });
const outcome = await runRanks(2, task, group).catch(({ code }) => code);
console.log(String(outcome));
