import type { Lifecycle, RankControl } from "@ringrank/rank-worker";
import type { Connection } from "../channel/connection.js";
import type { Log } from "../logger.js";
import { modelClosed } from "../model-ended.js";
import { within } from "../within.js";
import type { RankThreads } from "./rank-threads.js";

interface ShutDown {
  readonly connections: readonly Connection<RankControl>[];
  readonly lifecycle: Pick<Lifecycle, "stop" | "waitUntilOutside">;
  readonly threads: Pick<RankThreads, "running" | "ended" | "destroy">;
  readonly logger: Log;
  /**
   * `serving` ranks get time to finish their work and release their sessions. `beginning` ranks have nothing to
   * release, but may be importing modules. A `stuck` rank would not hear that it should end.
   */
  readonly ranks: "beginning" | "serving" | "stuck";
  /** Called once all threads have ended. */
  readonly onGone: () => void;
}

/** Milliseconds for a rank to finish its step, which the poison cuts short, and to release its sessions. */
const releaseMs = 3_000;
/**
 * Milliseconds for a rank to finish its imports: if a thread ends while Node opens a file for it, the file stays open.
 */
const importMs = 1_000;
/** Milliseconds to wait for a native call to end. */
const leaveMs = 10_000;
const pollMs = 5;

/**
 * Ends the ranks' threads, but never inside native code, because that would abort the process.
 *
 * ```
 *  ask to release ── all tasks end ──────────────────────────────▶ end threads
 *        └─ not in time ▶ stop word ── all outside native code ──▶ end threads (one may loop in JavaScript)
 *                             └─ not in time ▶ log it and return; threads end once the call returns
 * ```
 *
 * Always settles, in bounded time.
 */
export async function shutDown({
  connections,
  lifecycle,
  threads,
  logger,
  ranks,
  onGone,
}: ShutDown): Promise<void> {
  if (ranks === "serving") {
    for (const connection of connections) {
      connection
        .call((remote) => remote.release())
        .catch((error: unknown) => logger.debug({ err: error }, "not released"));
    }
    await within(releaseMs, threads.ended());
  }
  if (threads.running > 0) lifecycle.stop();
  // A rank that still listens ends when its port closes.
  for (const connection of connections) connection.close(modelClosed());
  if (ranks === "beginning") await within(importMs, threads.ended());
  if (await outside(threads, lifecycle)) {
    await threads.destroy();
    onGone();
    return;
  }
  logger.error(
    "a rank is inside a native call that does not return; its thread will end when the call returns",
  );
  void destroyLater(threads, lifecycle).then(onGone);
}

/** Whether all ranks' tasks have ended, or can be ended safely. The stop word keeps them out of native code. */
async function outside(threads: ShutDown["threads"], lifecycle: ShutDown["lifecycle"]): Promise<boolean> {
  // Polls, not a clock reading, which would count time in which the whole process is stopped.
  let polls = leaveMs / pollMs;
  while (threads.running > 0 && !lifecycle.waitUntilOutside(0)) {
    if (polls-- === 0) return false;
    // This timer keeps the process alive: the caller waits for it, and a rank that ends in the meantime no longer does.
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}

async function destroyLater(threads: ShutDown["threads"], lifecycle: ShutDown["lifecycle"]): Promise<void> {
  while (threads.running > 0 && !lifecycle.waitUntilOutside(0)) await unobtrusiveSleep(pollMs);
  await threads.destroy();
}

/** Does not keep the process alive; the ranks that it waits for do. */
function unobtrusiveSleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
