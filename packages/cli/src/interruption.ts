import { exitCodes } from "./exit-codes.js";

/** Why the work was cancelled from outside, and the exit status that says so. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Why nothing more can be written. Whoever stops reading has all they wanted. */
export function outputFailure(error: NodeJS.ErrnoException): Interrupted {
  const exitCode = error.code === "EPIPE" ? exitCodes.ok : exitCodes.failed;
  return new Interrupted(`standard output: ${error.message}`, exitCode);
}

/**
 * Turns Ctrl-C, SIGTERM and a reader of standard output that has left (`ringrank run … | head`) into an abort signal,
 * so that the model is closed before the process ends. A second Ctrl-C does not wait for that.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onSignal = (name: NodeJS.Signals): void => this.#interrupt(name === "SIGTERM" ? name : "SIGINT");
  readonly #onOutputError = (error: NodeJS.ErrnoException): void =>
    this.#controller.abort(outputFailure(error));

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
    process.stdout.on("error", this.#onOutputError);
    // What is told there is not what was asked for, so who stops reading it ends nothing, and there is nobody to tell.
    process.stderr.on("error", () => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the signals back to their default, which ends the process. */
  end(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }

  #interrupt(name: "SIGINT" | "SIGTERM"): void {
    if (this.#controller.signal.aborted) process.exit(exitCodes[name]);
    this.#controller.abort(new Interrupted(`ended by ${name}`, exitCodes[name]));
  }
}
