/**
 * A rank's thread. piscina loads this module and calls {@link serveRank} once. The returned promise lasts as long as
 * the thread, so the pool sees a crash as a failed task.
 */
import { joinGroup } from "@ringrank/collectives";
import { messageOf } from "@ringrank/errors";
import { requireHugePages } from "@ringrank/webassembly";
import comlink from "comlink";
import { NativeGate } from "./lifecycle.js";
import { type RankLog, rankLogger } from "./logging.js";
import { closedPort } from "./ports/closed-port.js";
import { controlledService } from "./ports/control-plane.js";
import { exposeService } from "./ports/expose-service.js";
import { serveSteps } from "./ports/step-port.js";
import { StepTrace } from "./step-trace.js";
import type { RankWorkerTask } from "./task.js";

/**
 * Serves a `RankControl` on the task's port until it is released or the port closes, then resolves. By then, every
 * session has been released, so the thread may be terminated.
 */
export async function serveRank({
  rank,
  group,
  port,
  steps,
  lifecycle,
  hugePages = false,
  logLevel,
  trace: traceFile,
}: RankWorkerTask): Promise<void> {
  // The port may close while the rank starts. It may already be closed if a Worker that is not the pool's imported this
  // module.
  const closed = closedPort(port);
  const log = await rankLogger(rank, logLevel);
  const gate = new NativeGate(lifecycle, rank);
  const { Rank, openSession } = await gate.inside(() => importRuntime(log, hugePages));
  const trace = traceFile === undefined ? undefined : new StepTrace(rank, traceFile);
  const communicator = joinGroup(group, rank, { measureWaits: trace !== undefined });
  const service = new Rank({ communicator, gate, openSession, log, trace, hugePages });
  try {
    await new Promise<void>((resolve) => {
      void closed.then(resolve);
      exposeService(comlink, controlledService(service, resolve), port);
      serveSteps(steps, rank, service);
      log.debug("serving");
    });
  } finally {
    await service.release();
    finishTrace(trace, rank);
    port.close();
    steps.close();
    log.debug("ended");
  }
}

/** The file may be gone, or its disk may be full. By now, no call waits for an error. */
function finishTrace(trace: StepTrace | undefined, rank: number): void {
  try {
    trace?.finish();
  } catch (error) {
    const message = `the trace of rank ${rank} is not complete: ${messageOf(error)}`;
    process.emitWarning(message, { type: "RingrankWarning" });
  }
}

/**
 * Imports everything that runs native code during import (ONNX Runtime, and the code that asks for huge pages), inside
 * the gate.
 */
async function importRuntime(log: RankLog, hugePages: boolean) {
  if (hugePages) requireHugePages();
  const [{ Rank }, { findSynchronousBinding }] = await Promise.all([
    import("./rank.js"),
    import("./sessions/ort-binding.js"),
  ]);
  const synchronous = findSynchronousBinding();
  if (synchronous !== undefined) return { Rank, openSession: synchronous };
  log.warn(
    "onnxruntime-node is not the version whose synchronous calls were tested; using the slower public API",
  );
  const { openPublicSession } = await import("./sessions/public-session.js");
  return { Rank, openSession: openPublicSession };
}
