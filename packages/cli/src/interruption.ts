import { exitCodes } from "./exit-codes.js";

/** Why the work was cancelled from outside, and the corresponding exit status. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Why nothing more can be written. A reader that stops reading has everything it wanted. */
export function outputFailure(error: NodeJS.ErrnoException): Interrupted {
  const exitCode = error.code === "EPIPE" ? exitCodes.ok : exitCodes.failed;
  return new Interrupted(`standard output: ${error.message}`, exitCode);
}

/**
 * Converts Ctrl-C, SIGTERM, and the loss of the reader of standard output (`ringrank run … | head`) to an abort signal,
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
    // Standard error does not carry the requested output. So if its reader leaves, the work continues, and there is
    // nobody to inform.
    process.stderr.on("error", () => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Restores the default of the signals, which ends the process. */
  end(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }

  #interrupt(name: "SIGINT" | "SIGTERM"): void {
    if (this.#controller.signal.aborted) process.exit(exitCodes[name]);
    this.#controller.abort(new Interrupted(`ended by ${name}`, exitCodes[name]));
  }
}
