import { once } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import { expect, onTestFinished, test } from "vitest";
import type { StepAnswer, StepRequest, StepResult } from "../protocol.js";
import { serveSteps } from "./step-port.js";

const counters: StepResult["counters"] = {
  steps: 0,
  milliseconds: 0,
  tokens: 0,
  sourceTokens: 0,
  experts: 0,
  collectives: 0,
  collectiveBytes: 0,
};

/** A step that is identified by the sequence that it closes. */
const stepOf = (sequence: number): StepRequest => ({ close: [sequence], rows: [] });

/** The coordinator's end of a port that `rank` serves, each step by `work`. */
function portOf(rank: number, work: (sequence: number) => Promise<StepResult>): MessagePort {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  serveSteps(port2, rank, { step: ({ close }) => work(close[0]!) });
  return port1;
}

/** The answers to steps that are sent all at once. */
async function answersOf(
  port: MessagePort,
  steps: readonly number[],
  count = steps.length,
): Promise<StepAnswer[]> {
  const answers: StepAnswer[] = [];
  port.on("message", (answer: StepAnswer) => answers.push(answer));
  for (const sequence of steps) port.postMessage(stepOf(sequence));
  while (answers.length < count) await once(port, "message");
  return answers;
}

const resultOf = (sequence: number): StepResult => ({ rows: [{ token: sequence }], counters });

/** More than are processed without a turn for other work. */
const sequences = Array.from({ length: 100 }, (_, index) => index);

test("computes steps one at a time, in the order in which they were sent, and answers in that order", async () => {
  let computing = 0;
  const port = portOf(0, async (sequence) => {
    expect(++computing).toBe(1);
    // Others arrive in the meantime.
    await new Promise(setImmediate);
    computing--;
    return resultOf(sequence);
  });
  expect(await answersOf(port, sequences)).toEqual(
    sequences.map((sequence) => ({ result: resultOf(sequence) })),
  );
});

test("the thread's other work gets a turn between steps that have all arrived", async () => {
  let done = 0;
  let doneByThen = -1;
  const port = portOf(0, async (sequence) => {
    if (sequence === 0) setImmediate(() => (doneByThen = done));
    done++;
    return resultOf(sequence);
  });
  await answersOf(port, sequences);
  expect(doneByThen).toBeGreaterThan(0);
  expect(doneByThen).toBeLessThan(sequences.length);
});

test("computes a step that arrives after all others have been answered", async () => {
  const port = portOf(0, async (sequence) => resultOf(sequence));
  for (const sequence of [1, 2])
    expect(await answersOf(port, [sequence])).toEqual([{ result: resultOf(sequence) }]);
});

test("transfers logits without copying", async () => {
  const logits = new Float32Array(8).fill(3);
  const port = portOf(0, async () => ({ rows: [{ logits }], counters }));
  const [answer] = await answersOf(port, [0]);
  expect(answer).toEqual({ result: { rows: [{ logits: new Float32Array(8).fill(3) }], counters } });
  expect(logits.buffer.byteLength).toBe(0);
});

test("ranks other than the first only answer if they fail, with their number", async () => {
  const port = portOf(3, async (sequence) => {
    if (sequence < 2) return resultOf(sequence);
    throw new RangeError("no such row");
  });
  expect(await answersOf(port, [0, 1, 2], 1)).toMatchObject([
    { error: { code: "RR_RANK_FAILED", rank: 3, message: "no such row" } },
  ]);
});

test("an error with a code is unchanged, and the next step is answered", async () => {
  const port = portOf(0, async (sequence) => {
    if (sequence > 0) return resultOf(sequence);
    throw new RingrankError("RR_MISMATCH", "others called something else", { rank: 1 });
  });
  expect(await answersOf(port, [0, 1])).toMatchObject([
    { error: { code: "RR_MISMATCH", rank: 1 } },
    { result: resultOf(1) },
  ]);
});
