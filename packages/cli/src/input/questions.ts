import { createInterface, type Interface } from "node:readline";
import { followsEscapes, type StyledStream } from "../output/style.js";

export interface QuestionsOptions {
  /** Where lines come from: a terminal, a pipe, a file. */
  readonly input: NodeJS.ReadableStream & StyledStream;
  /** Where a terminal shows what is typed. */
  readonly output: NodeJS.WritableStream;
  /** Called for a Ctrl-C while nothing is answered, or the second one while something is. */
  readonly interrupt: () => void;
  /** Ends the questions. */
  readonly signal: AbortSignal;
}

const prompt = "> ";

/**
 * The lines of an input that are not empty, up to its end. A terminal is shown a prompt before each, and has line
 * editing and a history. It then sends no SIGINT for Ctrl-C, which is handled here.
 */
export class Questions implements AsyncIterable<string> {
  readonly #interface: Interface;
  /** Keeps lines that come before they are asked for. */
  readonly #lines: AsyncIterable<string>;
  readonly #isTerminal: boolean;
  #answering: AbortController | undefined;

  constructor({ input, output, interrupt, signal }: QuestionsOptions) {
    this.#isTerminal = followsEscapes(input);
    this.#interface = createInterface({ input, output, terminal: this.#isTerminal, prompt, signal });
    this.#lines = this.#interface[Symbol.asyncIterator]();
    this.#interface.on("SIGINT", () => {
      if (this.#answering?.signal.aborted === false) this.#answering.abort();
      else interrupt();
    });
    this.#interface.on("close", () => {
      // The line of the prompt is not ended by whoever ends the questions.
      if (this.#isTerminal && this.#answering === undefined) output.write("\n");
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void> {
    this.#ask();
    try {
      for await (const line of this.#lines) {
        if (line.trim() !== "") yield line;
        this.#ask();
      }
    } finally {
      // Otherwise it goes on reading, which keeps the process alive.
      this.#interface.close();
    }
  }

  /** A signal that Ctrl-C aborts until the next question is asked for. */
  answering(): AbortSignal {
    this.#answering = new AbortController();
    return this.#answering.signal;
  }

  #ask(): void {
    this.#answering = undefined;
    if (this.#isTerminal) this.#interface.prompt();
  }
}
