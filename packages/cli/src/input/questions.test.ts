import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { Questions } from "./questions.js";

const ctrlC = "\u0003";
const ctrlD = "\u0004";

function questions({ isTTY }: { isTTY: boolean }) {
  vi.stubEnv("TERM", "xterm");
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode() {} });
  const output = new PassThrough().setEncoding("utf8");
  const interrupt = vi.fn();
  const ending = new AbortController();
  const asked = new Questions({ input, output, interrupt, signal: ending.signal });
  return { input, output, interrupt, ending, asked, lines: asked[Symbol.asyncIterator]() };
}

test("are the lines of the input that are not empty, up to its end", async () => {
  const { input, lines } = questions({ isTTY: false });
  input.end("first\n\n  \nsecond\nlast");
  const all: string[] = [];
  for await (const { text } of lines) all.push(text);
  expect(all).toEqual(["first", "second", "last"]);
});

test("show nothing without a terminal", async () => {
  const { input, output, lines } = questions({ isTTY: false });
  input.end("first\n");
  for await (const _ of lines);
  expect(output.read()).toBeNull();
});

test("have a prompt on a terminal, whose last line is ended", async () => {
  const { input, output, lines } = questions({ isTTY: true });
  const first = lines.next();
  input.write("first\n");
  expect((await first).value).toMatchObject({ text: "first" });
  const next = lines.next();
  input.write(ctrlD);
  expect((await next).done).toBe(true);
  const shown = output.read() as string;
  expect(shown.split("> ")).toHaveLength(3);
  expect(shown).toMatch(/\n$/);
});

test("show no prompt for a line that has been typed ahead", async () => {
  const { input, output, lines } = questions({ isTTY: true });
  input.write("first\nsecond\n");
  await lines.next();
  output.read();
  expect((await lines.next()).value).toMatchObject({ text: "second" });
  expect(output.read()).toBeNull();
});

test("show no prompt after the end of the input", async () => {
  const { input, output, lines } = questions({ isTTY: true });
  input.write(`first\n${ctrlD}`);
  await lines.next();
  output.read();
  expect((await lines.next()).done).toBe(true);
  expect(output.read()).toBeNull();
});

test("do not include empty lines, after which Ctrl-C interrupts", async () => {
  const { input, interrupt, lines } = questions({ isTTY: true });
  void lines.next();
  input.write(`\n${ctrlC}`);
  await vi.waitUntil(() => interrupt.mock.calls.length === 1);
});

test("Ctrl-C ends an answer, and otherwise interrupts", async () => {
  const { input, interrupt, lines } = questions({ isTTY: true });
  input.write("first\nsecond\n");
  const first = (await lines.next()).value!;
  input.write(ctrlC);
  await vi.waitUntil(() => first.stop.aborted);
  expect(interrupt).not.toHaveBeenCalled();
  input.write(ctrlC);
  await vi.waitUntil(() => interrupt.mock.calls.length === 1);
  const second = (await lines.next()).value!;
  void lines.next();
  input.write(ctrlC);
  await vi.waitUntil(() => interrupt.mock.calls.length === 2);
  expect(second.stop.aborted).toBe(false);
});

test("Ctrl-C that comes in one piece with lines ends the answer to the first of them", async () => {
  const { input, interrupt, lines } = questions({ isTTY: true });
  input.write(`first\nsecond\n${ctrlC}`);
  const aborted = [(await lines.next()).value!.stop.aborted, (await lines.next()).value!.stop.aborted];
  expect(aborted).toEqual([true, false]);
  expect(interrupt).not.toHaveBeenCalled();
});

test("stop reading the input if no more are asked for, so that it does not keep the process alive", async () => {
  const { input, asked } = questions({ isTTY: false });
  input.write("first\n");
  for await (const _ of asked) break;
  expect(input.isPaused()).toBe(true);
});

test("end the line of their prompt only, not that of an answer", async () => {
  const { input, output, asked } = questions({ isTTY: true });
  input.write("first\n");
  for await (const _ of asked) {
    output.read();
    break;
  }
  expect(output.read()).toBeNull();
});

test("end when their signal is aborted", async () => {
  const { ending, lines } = questions({ isTTY: true });
  const next = lines.next();
  ending.abort();
  expect((await next).done).toBe(true);
});
