import { setImmediate } from "node:timers/promises";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import type { StepAnswer, StepRequest } from "./protocol.js";
import type { Rank } from "./service.js";

/**
 * After so many steps without a pause, the thread's other work gets a turn: finalizers, tasks of the garbage collector.
 */
const stepsPerTurn = 64;

/**
 * Takes steps from a port, one after the other. What has arrived by the end of a step is taken at once: a turn of the
 * event loop between two steps costs, and lets ranks start the next one at different times.
 */
export function serveSteps(port: MessagePort, rank: number, service: Pick<Rank, "step">): void {
  const arrived: StepRequest[] = [];
  let isWorking = false;
  port.on("message", (request: StepRequest) => {
    arrived.push(request);
    // Where a step waits for native code on another thread, messages arrive in the middle of it.
    if (!isWorking) void work();
  });

  async function work(): Promise<void> {
    isWorking = true;
    let steps = 0;
    for (let request = next(); request !== undefined; request = next()) {
      await answer(request);
      if (++steps % stepsPerTurn === 0) await setImmediate();
    }
    isWorking = false;
  }

  function next(): StepRequest | undefined {
    return arrived.shift() ?? (receiveMessageOnPort(port)?.message as StepRequest | undefined);
  }

  async function answer(request: StepRequest): Promise<void> {
    try {
      const result = await service.step(request);
      if (rank > 0) return;
      const buffers = result.rows.flatMap(({ logits }) => (logits === undefined ? [] : [logits.buffer]));
      port.postMessage({ result } satisfies StepAnswer, buffers as ArrayBuffer[]);
    } catch (error) {
      const failure = RingrankError.wrap(error, "RR_RANK_FAILED", { rank });
      port.postMessage({ error: failure.toData() } satisfies StepAnswer);
    }
  }
}
