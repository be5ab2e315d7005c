import { MessageChannel, Worker } from "node:worker_threads";
import { inheritedExecArgv } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { Remote } from "comlink";
import { Connection } from "../channel/connection.js";
import type { OffloadService } from "./offload-service.js";

/**
 * A thread of its own for what would keep the caller's thread busy: opening and planning a model, loading its
 * tokenizer, encoding long texts. It never enters native code, so it may be terminated at any time.
 */
export class Offload {
  readonly #worker: Worker;
  readonly #connection: Connection<OffloadService>;
  #closing = false;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#worker = new Worker(new URL("./offload-worker.js", import.meta.url), {
      workerData: port2,
      execArgv: inheritedExecArgv(),
      transferList: [port2],
    });
    this.#connection = new Connection<OffloadService>(port1);
    // The thread alone keeps no process alive; a call that waits for it does.
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#lost(error));
    this.#worker.on("exit", (code) => this.#lost(new Error(`exited with code ${code}`)));
  }

  call<Result>(use: (remote: Remote<OffloadService>) => Promise<Result>): Promise<Result> {
    return this.#connection.call(use);
  }

  /** Ends the thread; calls that wait reject with `reason`. A second close waits for the first. */
  async close(reason: unknown = new RingrankError("RR_CLOSED", "the model is closed")): Promise<void> {
    this.#closing = true;
    this.#connection.close(reason);
    await this.#worker.terminate();
  }

  #lost(cause: Error): void {
    if (this.#closing) return;
    const message = `the planning thread ended: ${cause.message}. Load the model again`;
    this.#connection.close(new RingrankError("RR_CLOSED", message, { cause }));
  }
}
