/**
 * A program that is stopped while rank 0 waits for rank 1: it says so when it may be, and reads a byte when it goes on.
 * It writes the sums, or what went wrong.
 */
import { runRanks } from "@ringrank/collectives";

const flag = new Int32Array(new SharedArrayBuffer(4));
const source = `
  import { readSync, writeSync } from "node:fs";
  export function run(comm, flag) {
    if (comm.rank === 1) {
      // By now rank 0 sleeps, and has looked once or twice whether this one moves.
      Atomics.wait(flag, 0, 0, 200);
      writeSync(1, "stop\\n");
      readSync(0, Buffer.alloc(1));
      // Not so soon that rank 0 would not look again.
      Atomics.wait(flag, 0, 0, 100);
    }
    return comm.allReduce(Int32Array.of(comm.rank))[0];
  }`;
const task = `data:text/javascript,${encodeURIComponent(source)}`;
const outcome = await runRanks(2, task, flag, { stepTimeoutMs: 500 }).catch(({ code }) => code);
console.log(String(outcome));
