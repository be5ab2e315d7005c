import { createInterface, type Interface } from "node:readline";
import { followsEscapes, type StyledStream } from "../output/style.js";

export interface QuestionsOptions {
  /** Where lines come from: a terminal, a pipe, a file. */
  readonly input: NodeJS.ReadableStream & StyledStream;
  /** Where a terminal shows what is typed. */
  readonly output: NodeJS.WritableStream;
  /** Called for a Ctrl-C while there is no question to answer, or the second one for the same question. */
  readonly interrupt: () => void;
  /** Ends the questions. */
  readonly signal: AbortSignal;
}

/** A line to answer. */
export interface Question {
  readonly text: string;
  /** Aborted by a Ctrl-C that comes after the line, until the next question is asked for. */
  readonly stop: AbortSignal;
}

const prompt = "> ";

/**
 * The lines of an input that are not empty, up to its end. A terminal is shown a prompt before each, and has line
 * editing and a history. It then sends no SIGINT for Ctrl-C, which is handled here.
 */
export class Questions implements AsyncIterable<Question> {
  readonly #interface: Interface;
  /** Keeps lines that come before they are asked for. */
  readonly #lines: AsyncIterable<string>;
  readonly #isTerminal: boolean;
  /** Of the lines that have come: first that of the question being answered, then those that wait. */
  readonly #unanswered: AbortController[] = [];
  #hasEnded = false;

  constructor({ input, output, interrupt, signal }: QuestionsOptions) {
    this.#isTerminal = followsEscapes(input);
    this.#interface = createInterface({ input, output, terminal: this.#isTerminal, prompt, signal });
    this.#lines = this.#interface[Symbol.asyncIterator]();
    this.#interface.on("line", (line) => {
      if (isQuestion(line)) this.#unanswered.push(new AbortController());
    });
    this.#interface.on("SIGINT", () => {
      const [first] = this.#unanswered;
      if (first?.signal.aborted === false) first.abort();
      else interrupt();
    });
    this.#interface.on("close", () => {
      this.#hasEnded = true;
      // The line of the prompt is not ended by whoever ends the questions.
      if (this.#isTerminal && this.#unanswered.length === 0) output.write("\n");
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Question, void> {
    this.#ask();
    try {
      for await (const text of this.#lines) {
        if (isQuestion(text)) {
          yield { text, stop: this.#unanswered[0]!.signal };
          this.#unanswered.shift();
        }
        this.#ask();
      }
    } finally {
      // Otherwise it goes on reading, which keeps the process alive.
      this.#interface.close();
    }
  }

  /** Shows the prompt, unless a line has already come, or none will. */
  #ask(): void {
    if (this.#isTerminal && this.#unanswered.length === 0 && !this.#hasEnded) this.#interface.prompt();
  }
}

function isQuestion(line: string): boolean {
  return line.trim() !== "";
}
