import { setImmediate } from "node:timers/promises";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import type { StepAnswer, StepRequest } from "../protocol.js";
import type { Rank } from "../rank.js";

/**
 * After this many steps without a pause, the thread's other work gets a turn: finalizers, and tasks of the garbage
 * collector.
 */
const stepsPerTurn = 64;

/**
 * Runs steps from a port, one after the other. A step that has arrived by the end of the previous one starts at once. A
 * turn of the event loop between two steps would cost time, and make ranks start the next step at different times.
 */
export function serveSteps(port: MessagePort, rank: number, service: Pick<Rank, "step">): void {
  const arrived: StepRequest[] = [];
  let isWorking = false;
  port.on("message", (request: StepRequest) => {
    arrived.push(request);
    // If a step waits for native code on another thread, messages arrive while it is running.
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
