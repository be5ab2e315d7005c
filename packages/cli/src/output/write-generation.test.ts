import type { Generation } from "@ringrank/coordinator";
import { afterEach, expect, test, vi } from "vitest";
import { writeGeneration } from "./write-generation.js";

afterEach(() => void vi.restoreAllMocks());

const never = new AbortController().signal;

/** What is written to standard output from now on, which is full until it drains if `isFull`. */
function writtenTexts(isFull = false): string[] {
  const texts: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text, written: unknown) => {
    texts.push(String(text));
    if (typeof written === "function") written();
    return !isFull;
  });
  return texts;
}

/** @param taken receives the texts of the tokens that were read */
async function* textsOf(texts: readonly (string | Error)[], taken: string[] = []) {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    taken.push(text);
    yield { id: 0, text, logprob: Number.NaN };
  }
}

const write = (tokens: ReturnType<typeof textsOf>, signal = never) =>
  writeGeneration(tokens as unknown as Generation, () => {}, signal);

test("a generation's text is written as it comes, and its line is ended", async () => {
  const written = writtenTexts();
  await write(textsOf(["But ", "", "soft"]));
  expect(written).toEqual(["But ", "", "soft", "\n"]);
});

test("no line is ended if a generation ends or fails without text", async () => {
  const written = writtenTexts();
  await write(textsOf([""]));
  await expect(write(textsOf([new Error("rank 1 died")]))).rejects.toThrow("rank 1 died");
  expect(written).toEqual([""]);
});

test("the line of a generation that fails is ended, too", async () => {
  const written = writtenTexts();
  await expect(write(textsOf(["But ", new Error("rank 1 died")]))).rejects.toThrow("rank 1 died");
  expect(written).toEqual(["But ", "\n"]);
});

test("no token is read while standard output is full", async () => {
  writtenTexts(true);
  const taken: string[] = [];
  const ended = write(textsOf(["But ", "soft"], taken));
  await vi.waitUntil(() => process.stdout.listenerCount("drain") > 0);
  expect(taken).toEqual(["But "]);
  process.stdout.emit("drain");
  await vi.waitUntil(() => process.stdout.listenerCount("drain") > 0);
  expect(taken).toEqual(["But ", "soft"]);
  process.stdout.emit("drain");
  await ended;
});

test("a signal also ends a generation whose text is not taken off standard output", async () => {
  writtenTexts(true);
  const aborting = new AbortController();
  const ended = write(textsOf(["But ", "soft"]), aborting.signal);
  await vi.waitUntil(() => process.stdout.listenerCount("drain") > 0);
  aborting.abort();
  await expect(ended).rejects.toThrow();
});
