import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { inheritedExecArgv, threadAdvice } from "@ringrank/collectives";
import { messageOf, RingrankError } from "@ringrank/errors";
import { Connection, type Remote } from "../channel/connection.js";
import { modelClosed } from "../model-ended.js";
import { within } from "../within.js";
import type { PlanningService } from "./planning-service.js";
import type { TextService } from "./text-service.js";

/**
 * Opens and plans a model. It ends before the ranks load: the ten megabytes or so that planning leaves on its heap
 * would add to the peak.
 */
export function planningThread(): Offload<PlanningService> {
  return new Offload("planning", () => new URL("./planning-worker.js", import.meta.url));
}

/** Runs the tokenizer, which may take a few hundred milliseconds to load, or to encode a long text. */
export function textThread(): Offload<TextService> {
  return new Offload("text", () => new URL("./text-worker.js", import.meta.url), { endsItself: true });
}

/** Milliseconds for a thread that should end to import the rest of its modules. */
const importMs = 5_000;
/** Milliseconds for a thread to end by itself. One that is busy with a long text does not hear that it should. */
const endMs = 1_000;
/**
 * Milliseconds for a thread that has started a process: if nobody receives the end of that, it stays in the system's
 * table of processes as long as the host runs.
 */
const endWithProcessMs = 10_000;

const owner = "@ringrank/coordinator";
const bundlerAdvice = `. If a bundler has left out the module that the thread runs, keep ${owner} external`;

/**
 * What a thread reports: that it has imported its modules, and that it is about to start a process, which it ends itself.
 */
export type ThreadReport = "imported" | "starts a process";

export interface OffloadOptions {
  /** Whether the thread has something to end itself when its port closes. Default false. */
  readonly endsItself?: boolean;
}

/**
 * A separate thread for work that would keep the caller's thread busy. It never enters native code, so it may be
 * terminated at any time after it has imported its modules. (If a thread is terminated while Node opens a file for it,
 * the file stays open.)
 */
export class Offload<Service> implements AsyncDisposable {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #connection: Connection<Service>;
  /** Also settles if the thread ends before. */
  readonly #importing: Promise<void>;
  #hasImported = false;
  #hasProcess = false;
  /** Number of pending calls. */
  #calls = 0;
  /** Settles when the thread has ended by itself; undefined if it does not. */
  readonly #end: Promise<void> | undefined;

  /**
   * @param url the URL of the module that the thread runs
   * @throws RR_CLOSED if Node cannot start a thread with it
   */
  constructor(name: string, url: () => URL, { endsItself = false }: OffloadOptions = {}) {
    this.#name = name;
    const { port1, port2 } = new MessageChannel();
    this.#worker = startWorker(name, url, port2);
    this.#connection = new Connection<Service>(port1);
    // The thread by itself does not keep the process alive; a pending call does.
    this.#worker.unref();
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#end = endsItself ? exited : undefined;
    this.#importing = new Promise((resolve) => {
      void exited.then(resolve);
      this.#worker.on("message", (report: ThreadReport) => {
        this.#hasImported = true;
        this.#hasProcess ||= report === "starts a process";
        resolve();
      });
    });
    this.#worker.on("error", (error) => this.#lost(error));
    this.#worker.on("exit", (code) => this.#lost(new Error(`exited with code ${code}`)));
  }

  async call<Result>(use: (remote: Remote<Service>) => Promise<Result>): Promise<Result> {
    // The port alone is not enough: if the thread dies, it closes before the thread's last events are delivered, and a
    // process that nothing else keeps alive would end in between, as if all had gone well.
    this.#calls++;
    this.#worker.ref();
    try {
      return await this.#connection.call(use);
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#worker.unref();
    }
  }

  /** Ends the thread; pending calls reject with `reason`. A second close waits for the first. */
  async close(reason: unknown = modelClosed()): Promise<void> {
    this.#connection.close(reason);
    await within(importMs, this.#importing);
    if (this.#end !== undefined) {
      await within(endMs, this.#end);
      if (this.#hasProcess) await within(endWithProcessMs - endMs, this.#end);
    }
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lost(cause: unknown): void {
    const advice = this.#hasImported ? ". Load the model again" : threadAdvice(cause, owner) || bundlerAdvice;
    const message = `the ${this.#name} thread ended: ${messageOf(cause)}${advice}`;
    this.#connection.close(new RingrankError("RR_CLOSED", message, { cause }));
  }
}

function startWorker(name: string, url: () => URL, port: MessagePort): Worker {
  const execArgv = inheritedExecArgv();
  try {
    return new Worker(url(), { workerData: port, ...(execArgv && { execArgv }), transferList: [port] });
  } catch (cause) {
    const what = messageOf(cause) + threadAdvice(cause, owner);
    throw new RingrankError("RR_CLOSED", `the ${name} thread cannot be started: ${what}`, { cause });
  }
}
