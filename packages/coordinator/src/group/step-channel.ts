import type { MessagePort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import type { StepAnswer, StepRequest, StepResult } from "@ringrank/rank-worker";

interface Waiting {
  readonly resolve: (result: StepResult) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The coordinator's end of the ports that steps take: every rank gets each request, rank 0 answers each, in order. A
 * step may be sent before the one ahead of it is answered; ranks then go on to it at once.
 *
 * Bare messages, since the round trip of a comlink call, with its three objects a rank, is too much where a step may
 * take a millisecond. Shared memory in place of ports was tried: waking a thread by `Atomics.notify` and by a message
 * takes the same time within the noise.
 */
export class StepChannel {
  readonly #ports: readonly MessagePort[];
  readonly #waiting: Waiting[] = [];
  readonly #onChange: (isWaiting: boolean) => void;

  /**
   * @param ports by rank
   * @param onError a rank has failed, whether a step waits for it or not
   * @param onChange told when the first step of several goes out, and when the last is answered
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

  /** Sends a step to all ranks. While it waits for its answer, it keeps the process alive. */
  send(request: StepRequest): Promise<StepResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#changed(true);
      for (const port of this.#ports) port.postMessage(request);
    });
  }

  /** Rejects every step that waits. No step is sent afterwards. */
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
