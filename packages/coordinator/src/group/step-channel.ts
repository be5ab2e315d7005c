import type { MessagePort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import type { StepAnswer, StepRequest, StepResult } from "@ringrank/rank-worker";

interface Waiting {
  readonly resolve: (result: StepResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The coordinator's end of the ports for steps. Every rank receives each request, and rank 0 answers each, in order. A
 * step may be sent before the previous one has been answered; ranks then start it without a pause.
 *
 * It uses plain messages, because the round trip of a comlink call, with three objects per rank, is too slow when a
 * step may take a millisecond. Shared memory instead of ports was tried: waking a thread by `Atomics.notify` takes as
 * long as waking it by a message, within the noise.
 */
export class StepChannel {
  readonly #ports: readonly MessagePort[];
  readonly #waiting: Waiting[] = [];
  readonly #onChange: (isWaiting: boolean) => void;

  /**
   * @param ports by rank
   * @param onError called when a rank has failed, whether or not a step waits for it
   * @param onChange called when the number of unanswered steps becomes positive, and when it becomes 0
   */
  constructor(
    ports: readonly MessagePort[],
    onError: (error: RingrankError) => void,
    onChange: (isWaiting: boolean) => void,
  ) {
    this.#ports = ports;
    this.#onChange = onChange;
    for (const port of ports) {
      port.on("message", (answer: StepAnswer) => {
        if ("result" in answer) this.#settle(answer.result);
        else onError(RingrankError.fromData(answer.error));
      });
      port.unref();
    }
  }

  /** Sends a step to all ranks. A step without an answer keeps the process alive. */
  send(request: StepRequest): Promise<StepResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#changed(true);
      for (const port of this.#ports) port.postMessage(request);
    });
  }

  /** Rejects every unanswered step. No steps may be sent afterwards. */
  close(reason: unknown): void {
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 0) this.#changed(false);
    for (const { reject } of waiting) reject(reason);
    for (const port of this.#ports) port.close();
  }

  #settle(result: StepResult): void {
    const answered = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#changed(false);
    answered?.resolve(result);
  }

  #changed(isWaiting: boolean): void {
    const [first] = this.#ports;
    if (isWaiting) first?.ref();
    else first?.unref();
    this.#onChange(isWaiting);
  }
}
