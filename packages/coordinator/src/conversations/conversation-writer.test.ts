import type { ChildProcess } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { ConversationWriter, type TemplateLimits } from "../../dist/conversations/conversation-writer.js";

const saying = (content: string) => ({ messages: [{ role: "user", content }], variables: {} });
const question = saying("Who art thou?");
const written = "{{ messages[0].content }}";

/** Limits that are not exceeded even on a slow machine, unless a test sets one of them. */
const wide: TemplateLimits = { startMs: 120_000, writeMs: 120_000, megabytes: 256 };

function writerOf(template: string, limits: Partial<TemplateLimits> = {}): ConversationWriter {
  return new ConversationWriter(temporaryDirectory({ "chat_template.jinja": template }), {
    ...wide,
    ...limits,
  });
}

const endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
const loopsForAnEmptyMessage = `{% if messages[0].content == '' %}${endless}{% endif %}${written}`;
const manyTimes = (what: string, times: number): string =>
  `{% set all = namespace(text='${what}') %}{% for i in range(${times}) %}{% set all.text = all.text ~ all.text %}` +
  "{% endfor %}";

it("writes one conversation after another according to the template", async () => {
  const writer = writerOf(written);
  const texts = ["a", "b", "\ud800\u0000"].map((content) => writer.write(saying(content)));
  expect(await Promise.all(texts)).toEqual(["a", "b", "\ud800\u0000"]);
});

it("has the template read variables, and takes the one for tools if they have any", async () => {
  const chat_template = [
    { name: "default", template: "{{ mood }}" },
    { name: "tool_use", template: "{{ tools | tojson }}" },
  ];
  const writer = new ConversationWriter(
    temporaryDirectory({ "tokenizer_config.json": JSON.stringify({ chat_template }) }),
    wide,
  );
  const given = [{ mood: "merry" }, { tools: [{ name: "clock" }] }, { mood: "sad", tools: null }, {}];
  const texts = await Promise.allSettled(given.map((variables) => writer.write({ ...question, variables })));
  expect(texts).toMatchObject([
    { value: "merry" },
    { value: '[{"name": "clock"}]' },
    // Not read by the default template, although there are none.
    { reason: { code: "RR_OPTION" } },
    { value: "" },
  ]);
});

it("ends a template that loops forever, and writes the next conversation", async () => {
  const limits = { ...wide, writeMs: 100 };
  const directory = temporaryDirectory({ "chat_template.jinja": loopsForAnEmptyMessage });
  const writer = new ConversationWriter(directory, limits);
  const looping = writer.write(saying(""));
  const next = writer.write(question);
  await expect(looping).rejects.toMatchObject({
    code: "RR_FILE_FORMAT",
    message: expect.stringMatching(
      /not done after 100 ms, for messages of 35 characters in JSON.*do not trust the model/,
    ),
  });
  // The next one waits for its process to start, which may take a while.
  limits.writeMs = wide.writeMs;
  expect(await next).toBe("Who art thou?");
});

it("accepts a conversation that was written in time, even if this thread was busy until after the limit", async () => {
  const limits = { ...wide };
  const writer = new ConversationWriter(temporaryDirectory({ "chat_template.jinja": written }), limits);
  await writer.write(question);
  limits.writeMs = 100;
  const text = writer.write(question);
  await setImmediate();
  // Long compared with the milliseconds that the process takes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  expect(await text).toBe("Who art thou?");
});

describe("a writer's process", () => {
  const children: ChildProcess[] = [];
  const starts = new EventEmitter();
  const started = (message: unknown): void => {
    children.push((message as { process: ChildProcess }).process);
    starts.emit("start");
  };
  beforeEach(() => {
    children.length = 0;
    channel("child_process").subscribe(started);
  });
  afterEach(() => channel("child_process").unsubscribe(started));

  it("is replaced if it has ended between conversations", async () => {
    const writer = writerOf(written);
    await writer.write(question);
    const ended = once(children[0]!, "exit");
    children[0]!.kill("SIGINT");
    await ended;
    expect(await writer.write(question)).toBe("Who art thou?");
    expect(children).toHaveLength(2);
  });

  it("is ended if a template exceeds a limit", async () => {
    const looping = writerOf(endless, { writeMs: 100 }).write(question);
    await expect(looping).rejects.toMatchObject({ code: "RR_FILE_FORMAT" });
    const [child] = children;
    if (child!.signalCode === null) await once(child!, "exit");
    expect(child!.signalCode).toBe("SIGKILL");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("is not said to need memory if %s ends it", async (signal) => {
    const writer = writerOf(loopsForAnEmptyMessage);
    const begun = once(starts, "start");
    const looping = writer.write(saying(""));
    await begun;
    await once(children[0]!, "message");
    children[0]!.kill(signal);
    await expect(looping).rejects.toMatchObject({
      code: "RR_NO_CHAT_TEMPLATE",
      message: expect.stringMatching(`${signal} .*from outside`),
    });
    expect(await writer.write(question)).toBe("Who art thou?");
  });

  it("is started without Node options that are meant for the host", async () => {
    vi.stubEnv("NODE_OPTIONS", "--require=./nothing.cjs");
    onTestFinished(() => void vi.unstubAllEnvs());
    const text = await writerOf(written).write(question);
    expect(text).toBe("Who art thou?");
  });

  it("has no listeners of conversations that have been written", async () => {
    const writer = writerOf(written);
    await writer.write(question);
    const listeners = () => ["message", "exit"].map((event) => children[0]!.listenerCount(event));
    const before = listeners();
    await writer.write(question);
    expect([children.length, ...listeners()]).toEqual([1, ...before]);
  });

  it("ends with the writer, which then writes nothing, not even what is waiting", async () => {
    const writer = writerOf(loopsForAnEmptyMessage);
    const begun = once(starts, "start");
    const looping = writer.write(saying(""));
    const waiting = writer.write(question);
    await begun;
    const ended = once(children[0]!, "exit");
    writer.end();
    await ended;
    for (const text of [looping, waiting]) await expect(text).rejects.toMatchObject({ code: "RR_CLOSED" });
    expect(children).toHaveLength(1);
  });
});

it("writes a long conversation twice, as a template may", async () => {
  const content = "x".repeat(2 ** 20);
  const text = await writerOf(written + written).write(saying(content));
  expect(text).toHaveLength(2 ** 21);
});

it.each([
  ["a list that fills the memory", "{% for i in range(1000000000) %}{% endfor %}", /more than 64 MB/],
  ["a string that fills the memory", `${manyTimes("abcd", 26)}{{ all.text | upper }}`, /more than 64 MB/],
  ["far more text than the messages have", `${manyTimes("abcd", 19)}{{ all.text }}`, /2097152 characters/],
])("refuses a template that creates %s", async (_, template, message) => {
  const written = writerOf(template, { megabytes: 64 }).write(question);
  await expect(written).rejects.toMatchObject({
    code: "RR_FILE_FORMAT",
    message: expect.stringMatching(message),
  });
});

/** A program to start instead of Node. */
function program(line: string): string {
  const path = join(temporaryDirectory({ program: `#!/bin/sh\n${line}\n` }), "program");
  chmodSync(path, 0o700);
  return path;
}

it.each<[string, () => string, string, Partial<TemplateLimits>]>([
  ["Node's permission model forbids", () => "", "", {}],
  ["does not exist", () => "/nowhere/node", "ENOENT", {}],
  [
    "ends because it gets no threads",
    () => program("kill -ABRT $$"),
    "ended by SIGABRT before it began, as happens if",
    {},
  ],
  [
    "hangs because it gets no threads",
    () => program("exec sleep 60"),
    "not begun after 100 ms, as happens if",
    { startMs: 100 },
  ],
])("reports a template process that %s", async (_, execPath, why, limits) => {
  const { execPath: ours } = process;
  process.execPath = execPath();
  onTestFinished(() => {
    process.execPath = ours;
  });
  const writing = writerOf(written, limits).write(question);
  await expect(writing).rejects.toMatchObject({
    code: "RR_NO_CHAT_TEMPLATE",
    message: expect.stringMatching(new RegExp(`cannot be started: .*${why}.*Pass text or token ids`)),
  });
});
