import { once } from "node:events";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { RingrankError } from "@ringrank/errors";
import type { StepAnswer, StepRequest, StepResult } from "@ringrank/rank-worker";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StepChannel } from "./step-channel.js";

const request = (sequence: number): StepRequest => ({ close: [], rows: [{ sequence, want: "next" }] });
const result = (token: number): StepResult => ({
  rows: [{ token }],
  counters: {
    steps: 1,
    milliseconds: 1,
    tokens: 1,
    sourceTokens: 0,
    experts: 0,
    collectives: 0,
    collectiveBytes: 0,
  },
});

let ranks: MessagePort[];
let channel: StepChannel;
let changes: boolean[];

beforeEach(() => {
  const channels = [new MessageChannel(), new MessageChannel()];
  ranks = channels.map(({ port2 }) => port2);
  changes = [];
  channel = new StepChannel(
    channels.map(({ port1 }) => port1),
    () => {},
    (isWaiting) => changes.push(isWaiting),
  );
});
afterEach(() => channel.close("done"));

const answer = (rank: number, message: StepAnswer) => ranks[rank]!.postMessage(message);

it("sends every rank each step before earlier ones are answered, and returns rank 0's answers in order", async () => {
  const results = [1, 2].map((sequence) => channel.send(request(sequence)));
  answer(0, { result: result(7) });
  answer(0, { result: result(8) });
  expect(await Promise.all(results)).toEqual([result(7), result(8)]);
  for (const rank of ranks) {
    expect([1, 2].map(() => receiveMessageOnPort(rank)?.message)).toEqual([request(1), request(2)]);
  }
  expect(changes).toEqual([true, false]);
});

it("learns of any rank's failure, even if no step is waiting", async () => {
  const failed = new RingrankError("RR_RANK_FAILED", "broken", { rank: 1 });
  const { port1, port2 } = new MessageChannel();
  const heard = new Promise<RingrankError>((resolve) => {
    new StepChannel([port1], resolve, () => {});
  });
  port1.ref();
  port2.postMessage({ error: failed.toData() } satisfies StepAnswer);
  expect(await heard).toMatchObject({ code: "RR_RANK_FAILED", rank: 1, message: "broken" });
  port1.close();
});

it("rejects waiting steps when it is closed, and closes the ranks' ends", async () => {
  const waiting = channel.send(request(1));
  const closed = once(
    ranks[1]!.on("message", () => {}),
    "close",
  );
  channel.close("gone");
  await expect(waiting).rejects.toBe("gone");
  await closed;
  expect(changes).toEqual([true, false]);
});
