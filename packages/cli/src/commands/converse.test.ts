import { EventEmitter, once } from "node:events";
import { PassThrough } from "node:stream";
import {
  type ChatMessage,
  type GenerateOptions,
  type Generation,
  type GenerationResult,
  RingrankError,
} from "@ringrank/coordinator";
import { afterEach, expect, test, vi } from "vitest";
import { converse } from "./converse.js";

const ctrlC = "\u0003";
const ctrlD = "\u0004";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/**
 * A conversation with a model that repeats each message, word by word. At the words "…" and "⚡", it waits for its end,
 * and at the latter, a rank then dies.
 */
function conversation({ isTTY }: { isTTY: boolean }) {
  vi.stubEnv("TERM", "xterm");
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode() {} });
  vi.spyOn(process, "stdin", "get").mockReturnValue(input as unknown as typeof process.stdin);
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text, done: unknown) => {
      written[stream] += String(text);
      if (typeof done === "function") done();
      return true;
    });
  }
  const asked: unknown[][] = [];
  const events = new EventEmitter();
  async function* tokens(messages: readonly ChatMessage[], signal: AbortSignal) {
    signal.throwIfAborted();
    const contents = messages.map(({ content }) => content);
    asked.push(contents);
    const text = String(contents.at(-1));
    if (text === "say nothing") return;
    if (text === "too long") throw new RingrankError("RR_CONTEXT", "expected at most 5 tokens");
    for (const word of text.split(" ")) {
      if (word === "…") {
        const aborted = once(signal, "abort");
        events.emit("waiting");
        await aborted;
        throw signal.reason;
      }
      if (word === "⚡") {
        const aborted = once(signal, "abort");
        events.emit("waiting");
        await aborted;
        throw new RingrankError("RR_RANK_DIED", "rank 1 died");
      }
      yield { id: 0, text: word, logprob: Number.NaN };
    }
  }
  const usage = { promptTokens: 1, cachedTokens: 0, completionTokens: 1 };
  const result = Promise.resolve({ usage } as GenerationResult);
  const generate = (messages: unknown, { signal }: GenerateOptions = {}): Generation =>
    Object.assign(tokens(messages as ChatMessage[], signal!), { result });
  const interruption = new AbortController();
  const ended = converse({ generate }, [], {}, interruption.signal);
  return { input, asked, events, ended, written, interruption };
}

test("a conversation keeps the beginning of an answer that Ctrl-C has ended", async () => {
  const { input, asked, events, ended } = conversation({ isTTY: true });
  events.once("waiting", () => input.write(`${ctrlC}Go on.\n${ctrlD}`));
  input.write("One two … three\n");
  await ended;
  expect(asked).toEqual([["One two … three"], ["One two … three", "Onetwo", "Go on."]]);
});

test("a conversation forgets a message whose answer Ctrl-C has ended before it began", async () => {
  const { input, asked, ended } = conversation({ isTTY: true });
  input.write(`One\n${ctrlC}`);
  input.write(`Two\n${ctrlD}`);
  await ended;
  expect(asked).toEqual([["Two"]]);
});

test("a conversation ends with a fault, even if Ctrl-C ends the same answer", async () => {
  const { input, events, ended } = conversation({ isTTY: true });
  events.once("waiting", () => input.write(ctrlC));
  input.write("One ⚡\n");
  await expect(ended).rejects.toMatchObject({ code: "RR_RANK_DIED" });
});

test("a conversation keeps an answer that has no text", async () => {
  const { input, asked, ended } = conversation({ isTTY: false });
  input.end("say nothing\nTwo\n");
  await ended;
  expect(asked).toEqual([["say nothing"], ["say nothing", "", "Two"]]);
});

test("only answers go to standard output; prompts, and the figures of each answer, to standard error", async () => {
  const { input, ended, written } = conversation({ isTTY: true });
  input.write(`One two\n${ctrlD}`);
  await ended;
  expect(written.stdout).toBe("Onetwo\n");
  expect(written.stderr).toContain("> ");
  expect(written.stderr).toMatch(/first token: [\d.]+ ms; tokens per second: [\d.]+\]/);
});

test("a conversation that is interrupted while it waits for a message ends with the reason", async () => {
  const { ended, interruption } = conversation({ isTTY: true });
  interruption.abort(new Error("ended by SIGTERM"));
  await expect(ended).rejects.toThrow("ended by SIGTERM");
});

test("Ctrl-C without an answer to end is one for the command", async () => {
  const { input, ended } = conversation({ isTTY: true });
  const interrupted = once(process, "SIGINT");
  input.write(ctrlC);
  await interrupted;
  input.write(ctrlD);
  await ended;
});

test("another message can follow one that cannot be answered, which is said, on a terminal", async () => {
  const { input, asked, ended, written } = conversation({ isTTY: true });
  input.write(`too long\nTwo\n${ctrlD}`);
  await ended;
  expect(written.stderr).toMatch(/RR_CONTEXT\S*: expected at most 5 tokens\n/);
  expect(asked).toEqual([["too long"], ["Two"]]);
});

test("a message that cannot be answered ends a conversation without a terminal", async () => {
  const { input, asked, ended } = conversation({ isTTY: false });
  input.end("too long\nTwo\n");
  await expect(ended).rejects.toMatchObject({ code: "RR_CONTEXT" });
  expect(asked).toEqual([["too long"]]);
});
