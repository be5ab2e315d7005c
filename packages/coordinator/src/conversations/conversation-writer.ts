import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterRunning, threadLimits } from "@ringrank/collectives";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import { modelClosed } from "../model-ended.js";
import { type Conversation, charactersOf, type WriteReply, type WriteRequest } from "./protocol.js";

/** Limits of a model's chat template for one conversation. While this process is stopped (Ctrl-Z), no time passes. */
export interface TemplateLimits {
  /** For the process to start. */
  readonly startMs: number;
  /** For one conversation. Real templates take a few milliseconds. */
  readonly writeMs: number;
  /** Size of the process's heap. */
  readonly megabytes: number;
}

const defaultLimits: TemplateLimits = { startMs: 10_000, writeMs: 10_000, megabytes: 256 };

/**
 * Renders conversations with a model's chat template. A template comes with the model. It may loop forever, or create a
 * string that exceeds any memory, for which the engine ends the whole process, whatever thread it is on. So templates
 * are rendered in a process of their own. It stays for the next conversation, unless it has ended.
 */
export class ConversationWriter {
  readonly #directory: string;
  readonly #limits: TemplateLimits;
  #child: ChildProcess | undefined;
  /** One conversation at a time, so that it is clear which of them exceeded a limit. */
  #last: Promise<unknown> = Promise.resolve();
  #hasEnded = false;

  constructor(directory: string, limits = defaultLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /**
   * The conversation as a text that the assistant's next turn continues, with all special tokens that it needs.
   *
   * @throws RR_NO_CHAT_TEMPLATE if the model has none, or its process cannot be started or is ended from outside;
   * RR_INPUT or RR_OPTION if it refuses the messages or variables; RR_FILE_FORMAT if it is broken, not supported, or
   * exceeds a limit; RR_CLOSED once this has ended
   */
  write(conversation: Conversation): Promise<string> {
    const written = this.#last.then(() => this.#write(conversation));
    this.#last = written.catch(() => {});
    return written;
  }

  /**
   * Ends the process, so that nothing is written afterwards. The thread that started it must receive its exit;
   * otherwise it stays in the system's process table as long as the host runs.
   */
  end(): void {
    this.#hasEnded = true;
    this.#child?.kill("SIGKILL");
  }

  async #write(conversation: Conversation): Promise<string> {
    if (this.#hasEnded) throw modelClosed();
    const reply = await this.#ask(this.#child ?? (await this.#start()), conversation);
    if ("error" in reply) throw RingrankError.fromData(reply.error);
    return reply.text;
  }

  async #start(): Promise<ChildProcess> {
    const child = startProcess(this.#limits);
    this.#child = child;
    // This may also happen between conversations, for example by a Ctrl-C that the host survives; the next conversation
    // gets a new process.
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    const { startMs } = this.#limits;
    await this.#heard(child, startMs, {
      ended: (how) => cannotStart(new Error(`it ended by ${how} before it began${noRoom}`)),
      expired: () => cannotStart(new Error(`it has not begun after ${startMs} ms${noRoom}`)),
    });
    return child;
  }

  #ask(child: ChildProcess, conversation: Conversation): Promise<WriteReply> {
    const { writeMs, megabytes } = this.#limits;
    const request: WriteRequest = { directory: this.#directory, conversation, milliseconds: 2 * writeMs };
    // If it cannot be sent, the process has ended.
    child.send(request, () => {});
    return this.#heard(child, writeMs, {
      ended: (how) =>
        outsideSignals.has(how)
          ? wasEnded(how)
          : tooMuch(`needs more than ${megabytes} MB of memory`, conversation),
      expired: () => tooMuch(`is not done after ${writeMs} ms`, conversation),
    });
  }

  /** Waits for the next message of the process. If there is none for `milliseconds`, the process is killed. */
  async #heard<Message>(
    child: ChildProcess,
    milliseconds: number,
    { ended, expired }: Silence,
  ): Promise<Message> {
    const settled = new AbortController();
    const { signal } = settled;
    const said = once(child, "message", { signal }).then(([message]) => message as Message);
    const left = once(child, "exit", { signal }).then(([code, killedBy]) => {
      throw this.#hasEnded ? modelClosed() : ended(killedBy ?? `exit code ${code}`);
    });
    let stopWaiting = (): void => {};
    const waited = new Promise<never>((_, reject) => {
      // After this thread was busy for so long, with a long text, timers come before the messages of that time.
      stopWaiting = afterRunning(milliseconds, () => setImmediate(() => reject(expired())));
    });
    try {
      return await Promise.race([said, left, waited]);
    } catch (error) {
      this.#child = undefined;
      child.kill("SIGKILL");
      throw isRingrankError(error) ? error : cannotStart(error as Error);
    } finally {
      stopWaiting();
      settled.abort();
    }
  }
}

/** The errors for a process that ends, or is silent for too long. */
interface Silence {
  readonly ended: (how: string) => RingrankError;
  readonly expired: () => RingrankError;
}

/** Signals that a process gets from others. For lack of memory, the engine ends it in another way. */
const outsideSignals: ReadonlySet<string> = new Set(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGKILL"]);

function wasEnded(signal: string): RingrankError {
  return new RingrankError(
    "RR_NO_CHAT_TEMPLATE",
    `the process that rendered the chat template was ended by ${signal} from outside, perhaps by a system without ` +
      "memory. Try again, or pass text or token ids",
  );
}

const noRoom = `, as happens if the system gives it no memory, or no threads (${threadLimits})`;

function startProcess({ megabytes }: TemplateLimits): ChildProcess {
  try {
    return fork(fileURLToPath(new URL("./writing-process.js", import.meta.url)), {
      execArgv: [`--max-old-space-size=${megabytes}`],
      // Options for the host, such as waiting for a debugger, are not meant for this process.
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  } catch (error) {
    // Node's permission model refuses at once; refusals by the system arrive as an event.
    throw cannotStart(error as Error);
  }
}

function tooMuch(what: string, conversation: Conversation): RingrankError {
  return new RingrankError(
    "RR_FILE_FORMAT",
    `the model's chat template ${what}, for messages of ${charactersOf(conversation)} characters in JSON. If they ` +
      "are not that long, it may never terminate: do not trust the model, or pass text in the format that the model " +
      "was trained on",
  );
}

function cannotStart(cause: Error): RingrankError {
  return new RingrankError(
    "RR_NO_CHAT_TEMPLATE",
    `a chat template needs a process of its own, which cannot be started: ${cause.message}. Pass text or token ids`,
    { cause },
  );
}
