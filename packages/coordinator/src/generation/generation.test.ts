import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Scheduler } from "../scheduler/scheduler.js";
import { FakeRankGroup, gate } from "../testing/fake-rank-group.js";
import { startGeneration } from "../testing/start-generation.js";
import type { GeneratedToken } from "./generation.js";

/** Waits until the scheduler has nothing left to do. */
async function idle(group: FakeRankGroup): Promise<void> {
  for (let seen = -1; seen !== group.requests.length; ) {
    seen = group.requests.length;
    for (let i = 0; i < 5; i++) await setImmediate();
  }
}

function start(...rest: Parameters<typeof startGeneration> extends [unknown, ...infer Rest] ? Rest : never) {
  const group = new FakeRankGroup();
  const scheduler = new Scheduler(group);
  return { group, scheduler, generation: startGeneration(scheduler, ...rest) };
}

describe("Generation", () => {
  it("yields each token with id, text and logprob, and its result contains them all", async () => {
    const { generation } = start([1, 2], { maxNewTokens: 3 });
    const tokens: GeneratedToken[] = [];
    for await (const token of generation) tokens.push(token);
    expect(tokens).toEqual([
      { id: 3, text: "<3>", logprob: -0.5 },
      { id: 4, text: "<4>", logprob: -0.5 },
      { id: 5, text: "<5>", logprob: -0.5 },
    ]);
    expect(await generation.result).toEqual({
      text: "<3><4><5>",
      ids: [3, 4, 5],
      finishReason: "length",
      usage: { promptTokens: 2, cachedTokens: 0, completionTokens: 3 },
    });
  });

  it("can be read on in a loop after its first token was read, as a server does before it answers", async () => {
    const { generation } = start([1, 2], { maxNewTokens: 3 });
    const tokens = generation[Symbol.asyncIterator]();
    expect(await tokens.next()).toMatchObject({ value: { id: 3 } });
    const rest: number[] = [];
    for await (const { id } of tokens) rest.push(id);
    expect(rest).toEqual([4, 5]);
  });

  it("can be read by several calls at once, which get its tokens in order, and then its end", async () => {
    const { generation } = start([1, 2], { maxNewTokens: 2 });
    const reader = generation[Symbol.asyncIterator]();
    const read = await Promise.all([reader.next(), reader.next(), reader.next(), reader.next()]);
    expect(read.map(({ value }) => value?.id)).toEqual([3, 4, undefined, undefined]);
    expect(read.map(({ done }) => done)).toEqual([false, false, true, true]);
  });

  it("ends at any end-of-sequence token, which is among the ids", async () => {
    const { generation } = start([1], {}, { eosIds: [50, 4] });
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4], finishReason: "eos" });
  });

  it('reports "end" for an end-of-sequence token, even if it is the last one there was room for', async () => {
    const { generation } = start([1], { maxNewTokens: 3 }, { eosIds: [4] });
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4], finishReason: "eos" });
  });

  it("has the ranks choose a forced end at the text's greatest length, or at the end of the context", async () => {
    const samplingOf = (group: FakeRankGroup) => {
      const [row] = group.requests.flatMap(({ rows }) => rows);
      return row?.want === "token" ? row.sampling : undefined;
    };
    const forcedEosIds = [7];
    const byLength = start([1, 2], { maxNewTokens: 3 }, { forcedEosIds });
    await byLength.generation.result;
    expect(samplingOf(byLength.group)).toMatchObject({ forcedEnd: { position: 4, ids: [7] } });
    const byContext = start([1, 2], {}, { forcedEosIds, maxContext: 6 });
    await byContext.generation.result;
    // The last token never enters, so its position is after the context.
    expect(samplingOf(byContext.group)).toMatchObject({ forcedEnd: { position: 6, ids: [7] } });
    const ignored = start([1, 2], { maxNewTokens: 3, ignoreEos: true }, { forcedEosIds });
    await ignored.generation.result;
    expect(samplingOf(ignored.group)).not.toHaveProperty("forcedEnd");
    const none = start([1, 2], { maxNewTokens: 3 }, { forcedEosIds: [] });
    await none.generation.result;
    expect(samplingOf(none.group)).not.toHaveProperty("forcedEnd");
  });

  it("computes nothing after an end-of-sequence token, even if it was requested in advance", async () => {
    const { group, generation } = start([1], {}, { eosIds: [4] });
    await generation.result;
    await idle(group);
    expect(group.computed).toBe(3);
  });

  it("requests nothing more while the text of an end-of-sequence token is pending", async () => {
    const text = gate();
    const detokenize = (id: number) => (id === 3 ? text.opened.then(() => "<3>") : `<${id}>`);
    const { group, generation } = start([1], {}, { eosIds: [3], detokenize });
    const { result } = generation;
    await idle(group);
    expect(group.requests).toHaveLength(2);
    text.open();
    expect(await result).toMatchObject({ ids: [2, 3], text: "<2><3>", finishReason: "eos" });
  });

  it("computes at most one token after a stop string, and drops it", async () => {
    const { group, generation } = start([1], { stop: ["<4>"] });
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4], text: "<2><3>", finishReason: "stop" });
    await idle(group);
    expect(group.computed).toBeLessThanOrEqual(4);
    expect(group.caches.size).toBe(0);
  });

  it("ends before a stop string that its last token completes", async () => {
    const { generation } = start([1], { stop: ["<4>"], maxNewTokens: 3 });
    expect(await generation.result).toMatchObject({ text: "<2><3>", finishReason: "stop" });
  });

  it("continues after end-of-sequence tokens if told to", async () => {
    const { generation } = start([1], { ignoreEos: true, maxNewTokens: 5 }, { eosIds: [4] });
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4, 5, 6], finishReason: "length" });
  });

  it("ends before a stop string that spans tokens", async () => {
    const { generation } = start([1], { stop: ["4><5"] });
    const texts: string[] = [];
    for await (const { text } of generation) texts.push(text);
    expect(texts).toEqual(["<2>", "<3>", "<", ""]);
    expect(await generation.result).toMatchObject({ text: "<2><3><", finishReason: "stop" });
  });

  it("yields text that was held back once it cannot become a stop string", async () => {
    const { generation } = start([1], { stop: ["3><9"], maxNewTokens: 2 });
    expect(await generation.result).toMatchObject({ text: "<2><3>", finishReason: "length" });
  });

  it("ends where the context does; the last token need not fit", async () => {
    const { generation } = start([1, 2, 3], {}, { maxContext: 5 });
    expect((await generation.result).ids).toEqual([4, 5, 6]);
  });

  it("computes only one token ahead of a slow reader, and keeps its cache", async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    const reader = generation[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ id: 2 });
    await idle(group);
    expect(group.requests).toHaveLength(2);
    expect((await reader.next()).value).toMatchObject({ id: 3 });
    await idle(group);
    expect(group.requests).toHaveLength(3);
    expect([...group.caches.values()]).toEqual([[1, 2, 3]]);
  });

  it("runs to its end once somebody wants the result, even if its reader does not read on", async () => {
    const { group, generation } = start([1], { maxNewTokens: 5 });
    const reader = generation[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ id: 2 });
    await idle(group);
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4, 5, 6], finishReason: "length" });
    const rest: number[] = [];
    for await (const { id } of reader) rest.push(id);
    expect(rest).toEqual([3, 4, 5, 6]);
  });

  it("computes one token without a reader, until somebody wants the result", async () => {
    const { group, generation } = start([1], { maxNewTokens: 5 });
    await idle(group);
    expect(group.requests).toHaveLength(1);
    expect((await generation.result).ids).toHaveLength(5);
  });

  it("yields tokens in order, whether their texts are available at once or later", async () => {
    const text = gate();
    const detokenize = (id: number) => (id === 2 ? text.opened.then(() => "<2>") : `<${id}>`);
    const { group, generation } = start([1], { maxNewTokens: 3 }, { detokenize });
    const { result } = generation;
    await idle(group);
    text.open();
    expect(await result).toMatchObject({ ids: [2, 3, 4], text: "<2><3><4>" });
  });

  it("marks the last token, whose text includes everything that was held back", async () => {
    const asked: (readonly [id: number, last: boolean])[] = [];
    const detokenize = (id: number, last: boolean) => {
      asked.push([id, last]);
      return "";
    };
    await start([1], {}, { detokenize, eosIds: [4] }).generation.result;
    expect(asked).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ]);
  });

  it("fails if a token has no text, and releases its cache", async () => {
    const text = gate();
    const detokenize = async () => {
      await text.opened;
      throw new Error("no text");
    };
    const { group, generation } = start([1], { maxNewTokens: 50 }, { detokenize });
    const failed = expect(generation[Symbol.asyncIterator]().next()).rejects.toThrow("no text");
    await idle(group);
    text.open();
    await failed;
    await idle(group);
    expect(group.caches.size).toBe(0);
  });

  it("continues when its reader returns while a token's text is pending", async () => {
    const text = gate();
    const detokenize = async (id: number) => {
      if (id === 3) await text.opened;
      return `<${id}>`;
    };
    const { group, generation } = start([1], { maxNewTokens: 3 }, { detokenize });
    const reader = generation[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ id: 2 });
    await idle(group);
    const second = reader.next();
    await idle(group);
    text.open();
    expect((await second).value).toMatchObject({ id: 3 });
    expect((await reader.next()).value).toMatchObject({ id: 4 });
  });

  it("yields all tokens to a reader who comes after the result", async () => {
    const { generation } = start([1], { maxNewTokens: 3 });
    await generation.result;
    const ids: number[] = [];
    for await (const { id } of generation) ids.push(id);
    expect(ids).toEqual([2, 3, 4]);
  });

  it("yields all tokens of its result even if the model fails before they are read", async () => {
    const { group, generation } = start([1], { maxNewTokens: 3 });
    await generation.result;
    group.fail();
    const ids: number[] = [];
    for await (const { id } of generation) ids.push(id);
    expect(ids).toEqual([2, 3, 4]);
  });

  it('is cancelled by break: the result is "abort", and the cache is released', async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    for await (const { id } of generation) if (id === 3) break;
    expect(await generation.result).toMatchObject({ finishReason: "abort" });
    await idle(group);
    expect(group.caches.size).toBe(0);
    expect(group.requests.length).toBeLessThanOrEqual(5);
  });

  it("is cancelled by an error that is thrown into a generator which yields it, as by a stream that is destroyed", async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    async function* texts(): AsyncGenerator<GeneratedToken> {
      yield* generation;
    }
    const reader = texts();
    await reader.next();
    await expect(reader.throw(new Error("the reader has gone"))).rejects.toThrow("the reader has gone");
    expect(await generation.result).toMatchObject({ finishReason: "abort" });
    await idle(group);
    expect(group.caches.size).toBe(0);
  });

  it("requests no text for a token that arrives after it was cancelled", async () => {
    const made: number[] = [];
    const detokenize = (id: number) => {
      made.push(id);
      return `<${id}>`;
    };
    const { group, generation } = start([1], { maxNewTokens: 50 }, { detokenize });
    const held = gate();
    group.beforeAnswer = (request) => (request === group.requests[0] ? undefined : held.opened);
    for await (const { id } of generation) if (id === 2) break;
    held.open();
    await idle(group);
    expect(group.computed).toBeGreaterThan(1);
    expect(made).toEqual([2]);
  });

  it("releases its cache if it is cancelled while nothing is computed", async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    await idle(group);
    await generation[Symbol.asyncIterator]().return!();
    await idle(group);
    expect(group.caches.size).toBe(0);
  });

  it("does not include a token in its result whose text arrives after it was cancelled", async () => {
    const text = gate();
    const detokenize = (id: number) => (id === 3 ? text.opened.then(() => "<3>") : `<${id}>`);
    const { group, generation } = start([1], { maxNewTokens: 50 }, { detokenize });
    const reader = generation[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ id: 2 });
    await idle(group);
    await reader.return!();
    text.open();
    await idle(group);
    expect(await generation.result).toMatchObject({ ids: [2], text: "<2>" });
  });

  it("has ended once it is cancelled, even if tokens were not read", async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    const held = gate();
    group.beforeAnswer = () => (group.requests.length > 3 ? held.opened : undefined);
    const result = generation.result;
    await idle(group);
    for await (const { id } of generation) if (id === 2) break;
    held.open();
    expect(await result).toMatchObject({ finishReason: "abort" });
    expect(await generation[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  it("has nothing left to read once its reader has left, even if it had ended before", async () => {
    const { generation } = start([1], { maxNewTokens: 3 });
    await generation.result;
    for await (const { id } of generation) if (id === 2) break;
    expect(await generation[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
    expect(await generation.result).toMatchObject({ ids: [2, 3, 4], finishReason: "length" });
  });

  it("throws to the waiting reader once when it fails", async () => {
    const { group, generation } = start([1]);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const reader = generation[Symbol.asyncIterator]();
    const waiting = expect(reader.next()).rejects.toMatchObject({ code: "RR_RANK_DIED" });
    await setImmediate();
    group.fail();
    held.open();
    await waiting;
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it("throws to a later reader once, instead of yielding unread tokens", async () => {
    const { group, generation } = start([1], { maxNewTokens: 50 });
    await idle(group);
    group.fail();
    const reader = generation[Symbol.asyncIterator]();
    await expect(reader.next()).rejects.toMatchObject({ code: "RR_RANK_DIED" });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it("causes no unhandled rejection if nobody waits for the result", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listener);
    const { group } = start([1]);
    group.fail();
    for (let i = 0; i < 5; i++) await setImmediate();
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });
});
