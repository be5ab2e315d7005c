// The process of one contestant: opens the module that its parent names, and answers calls until it is told to close.
import { readFileSync } from "node:fs";
import { untilIdle } from "./idle.mjs";

/**
 * The milliseconds for which a contestant may continue to work after it was loaded, or after its turn, before the next
 * turn begins.
 */
const settling = 60_000;

let contestant;

process.on("message", async ({ id, call, args }) => {
  try {
    const value = await answer(call, args);
    if (!(await untilIdle(settling))) {
      throw new Error(
        `was busy ${settling / 1000} s after ${call}, which would slow down others in their turns`,
      );
    }
    process.send({ id, value });
  } catch (error) {
    process.send({ id, error: [error?.code, error?.message ?? error].filter(Boolean).join(": ") });
  }
});
process.on("disconnect", () => process.exit(1));

async function answer(call, args) {
  if (call === "open") {
    const [module, options] = args;
    const start = performance.now();
    const { open } = await import(module);
    const imported = performance.now();
    contestant = await open(options);
    return {
      importMilliseconds: imported - start,
      loadMilliseconds: performance.now() - imported,
      peakBytes: peakBytes(),
      facts: contestant.facts,
    };
  }
  if (call === "close") {
    await contestant.close();
    return { peakBytes: peakBytes() };
  }
  return await contestant[call](...args);
}

/** The peak memory of this process in bytes, as Linux reports it (VmHWM); undefined elsewhere. */
function peakBytes() {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return 1024 * Number(kilobytes);
}
