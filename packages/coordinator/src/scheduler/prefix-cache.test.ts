import { setImmediate } from "node:timers/promises";
import { type CacheLimits, restorableTokens } from "@ringrank/rank-worker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeRankGroup, gate } from "../testing/fake-rank-group.js";
import { startGeneration } from "../testing/start-generation.js";
import { PrefixCache } from "./prefix-cache.js";
import { Scheduler } from "./scheduler.js";

/** A cache of which all rows are kept. */
const unlimited: CacheLimits = { rows: Number.POSITIVE_INFINITY, recurrent: false, dependsOnMore: false };
const count = (length: number, from = 1) => Array.from({ length }, (_, at) => from + at);
const prefixes = (maxTokens = Number.POSITIVE_INFINITY, limits = unlimited) =>
  new PrefixCache(maxTokens, limits);

describe("PrefixCache", () => {
  it("finds the sequence with the most tokens in common, and leaves one token to compute", () => {
    const cache = prefixes();
    cache.add(1, [...count(20), 0]);
    cache.add(2, [...count(30), 0, 0]);
    cache.add(3, [...count(25), 0]);
    expect(cache.find(count(40))).toEqual({ from: 2, tokens: 30 });
    expect(cache.find([...count(30), 0, 0])).toEqual({ from: 2, tokens: 31 });
  });

  it("finds nothing if the first token is another one", () => {
    const cache = prefixes();
    cache.add(1, count(30));
    expect(cache.find([0, ...count(39, 2)])).toBeUndefined();
  });

  it("does not use fewer than 16 tokens", () => {
    const cache = prefixes();
    cache.add(1, count(30));
    expect(cache.find([...count(15), 0, 0])).toBeUndefined();
    expect(cache.find([...count(16), 0, 0])).toEqual({ from: 1, tokens: 16 });
    expect(cache.add(2, count(15, 50))).toBeUndefined();
    expect(cache.add(3, count(16, 50))).toEqual([]);
  });

  it("releases the least recently used sequences beyond its limit", () => {
    const cache = prefixes(60);
    expect(cache.add(1, count(20, 1))).toEqual([]);
    expect(cache.add(2, count(20, 100))).toEqual([]);
    expect(cache.add(3, count(20, 200))).toEqual([]);
    cache.use(cache.find(count(21, 1))!);
    expect(cache.add(4, count(25, 300))).toEqual([2, 3]);
    expect(cache.find(count(21, 100))).toBeUndefined();
    expect(cache.find(count(21, 1))).toEqual({ from: 1, tokens: 20 });
  });

  it("does not add a sequence that exceeds its limit alone", () => {
    const cache = prefixes(20);
    cache.add(1, count(20));
    expect(cache.add(2, count(21, 50))).toBeUndefined();
    expect(cache.find(count(21))).toEqual({ from: 1, tokens: 20 });
  });

  it("replaces sequences that are the beginning of the one it adds, which no longer count", () => {
    const cache = prefixes(50);
    cache.add(1, count(20, 50));
    cache.add(2, count(20));
    expect(cache.add(3, count(30))).toEqual([2]);
    expect(cache.find(count(25))).toEqual({ from: 3, tokens: 24 });
  });

  it("does not add the beginning of a sequence that it has, but counts that one as used", () => {
    const cache = prefixes(50);
    cache.add(1, count(30));
    cache.add(2, count(20, 50));
    expect(cache.add(3, count(25))).toBeUndefined();
    expect(cache.add(4, count(20, 100))).toEqual([2]);
  });

  it("keeps sequences beside their beginnings if states are recurrent, and finds only whole ones", () => {
    const cache = prefixes(1000, { ...unlimited, recurrent: true });
    cache.add(1, count(20));
    expect(cache.add(2, count(30))).toEqual([]);
    expect(cache.find(count(29))).toEqual({ from: 1, tokens: 20 });
    expect(cache.find(count(31))).toEqual({ from: 2, tokens: 30 });
    expect(cache.find(count(20))).toBeUndefined();
  });

  it("finds the prompts of running sequences as well, as far as they have been sent", () => {
    const cache = prefixes();
    cache.add(1, count(20));
    const running = (mostEntered: number) => [{ id: 2, prompt: count(30), mostEntered }];
    expect(cache.find(count(40), running(25))).toEqual({ from: 2, tokens: 25 });
    expect(cache.find(count(40), running(33))).toEqual({ from: 2, tokens: 30 });
    expect(cache.find(count(40), running(20))).toEqual({ from: 1, tokens: 20 });
    expect(prefixes().find(count(40), running(15))).toBeUndefined();
  });

  it("finds no running sequence that may have replaced some of the tokens", () => {
    const running = (mostEntered: number) => [{ id: 2, prompt: count(30), mostEntered }];
    const windowed = prefixes(1000, { ...unlimited, rows: 32 });
    expect(windowed.find(count(40), running(32))).toEqual({ from: 2, tokens: 30 });
    expect(windowed.find(count(40), running(33))).toBeUndefined();
    const recurrent = prefixes(1000, { ...unlimited, recurrent: true });
    expect(recurrent.find(count(40), running(30))).toEqual({ from: 2, tokens: 30 });
    expect(recurrent.find(count(40), running(31))).toBeUndefined();
  });

  it("adds nothing if rows depend on more than tokens", () => {
    expect(prefixes(1000, { ...unlimited, dependsOnMore: true }).add(1, count(20))).toBeUndefined();
  });
});

describe("Scheduler with a prefix cache", () => {
  it("computes only what follows the tokens of an earlier generation, and says how many it had", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes() });
    const first = await startGeneration(scheduler, count(20), { maxNewTokens: 5 }).result;
    const computed = group.computed;
    const question = [...count(20), ...first.ids, 90, 91];
    const second = await startGeneration(scheduler, question, { maxNewTokens: 3 }).result;
    // The first generation's last token never entered the cache.
    expect(second.usage).toEqual({ promptTokens: 27, cachedTokens: 24, completionTokens: 3 });
    expect(second.ids).toEqual([92, 93, 94]);
    expect(group.computed - computed).toBe(3 + 2);
  });

  it("feeds what follows in chunks", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes(), prefillChunk: 16 });
    await startGeneration(scheduler, count(20), { maxNewTokens: 1 }).result;
    await startGeneration(scheduler, count(60), { maxNewTokens: 1 }).result;
    const lengths = group.requests.flatMap(({ rows }) =>
      rows.map((row) => row.want !== "next" && row.ids.length),
    );
    expect(lengths).toEqual([16, 4, 16, 16, 8]);
  });

  it("computes what the prompts of several generations have in common once, even if none has ended", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes(), prefillChunk: 16 });
    const prompts = [90, 80, 70].map((own) => [...count(40), own]);
    const results = prompts.map((prompt) => startGeneration(scheduler, prompt, { maxNewTokens: 3 }).result);
    const usages = (await Promise.all(results)).map(({ usage }) => usage.cachedTokens);
    expect(usages).toEqual([0, 40, 40]);
    expect(group.computed).toBe(41 + 1 + 1 + 3 * 2);
  });

  it("has the cache of a generation kept once it has ended, without waiting for the next one", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes() });
    await startGeneration(scheduler, count(20), { maxNewTokens: 2 }).result;
    await setImmediate();
    await setImmediate();
    expect([...group.kept.values()]).toEqual([count(21)]);
    expect(group.caches.size).toBe(0);
  });

  it("waits for the tokens of a step on its way, which others share, before it keeps a generation that was cancelled", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes() });
    const readers = [count(20), count(20, 50)].map((prompt) =>
      startGeneration(scheduler, prompt, { maxNewTokens: 9 })[Symbol.asyncIterator](),
    );
    await Promise.all(readers.map((reader) => reader.next()));
    const [sent, held] = [gate(), gate()];
    group.beforeAnswer = () => {
      sent.open();
      return held.opened;
    };
    const second = readers.map((reader) => reader.next());
    await sent.opened;
    await readers[0]!.return!();
    await second[0];
    await setImmediate();
    held.open();
    await second[1];
    const next = await startGeneration(scheduler, count(40), { maxNewTokens: 1 }).result;
    const { cachedTokens } = next.usage;
    expect(group.restored).toEqual([{ tokens: cachedTokens, of: cachedTokens }]);
  });

  it("releases a generation that another one began with after those that none did", async () => {
    const scheduler = new Scheduler(new FakeRankGroup(), { prefixCache: prefixes(60) });
    const cachedOf = async (prompt: readonly number[]) =>
      (await startGeneration(scheduler, prompt, { maxNewTokens: 1 }).result).usage.cachedTokens;
    await cachedOf(count(20));
    await cachedOf(count(20, 50));
    expect(await cachedOf([...count(18), 90, 91, 92])).toBe(18);
    expect(await cachedOf([...count(20), 95])).toBe(20);
  });

  it("keeps of a generation that was cancelled within its prompt what had entered", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes(), prefillChunk: 16 });
    const [sent, held] = [gate(), gate()];
    group.beforeAnswer = () => {
      sent.open();
      return held.opened;
    };
    const generation = startGeneration(scheduler, count(40), { maxNewTokens: 9 });
    await sent.opened;
    await generation[Symbol.asyncIterator]().return!();
    held.open();
    const { usage } = await startGeneration(scheduler, count(40), { maxNewTokens: 1 }).result;
    expect(usage.cachedTokens).toBe(16);
  });

  it("does not count on an end-of-sequence token, which never enters, even if a step was sent after it", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes() });
    group.beforeAnswer = () => setImmediate();
    const { ids } = await startGeneration(scheduler, count(20), {}, { eosIds: [23] }).result;
    const question = [...count(20), ...ids, 90];
    const { usage } = await startGeneration(scheduler, question, { maxNewTokens: 1 }).result;
    expect(usage.cachedTokens).toBe(22);
  });

  it("keeps nothing of a generation that ended before its first step", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefixCache: prefixes() });
    const generation = startGeneration(scheduler, count(20), { maxNewTokens: 9 });
    await generation[Symbol.asyncIterator]().return!();
    await setImmediate();
    expect(group.requests).toEqual([]);
  });

  it("never restores other tokens than the prompt's, whatever ends, is cancelled or runs at the same time", async () => {
    // Few different tokens, so that prompts have beginnings in common.
    const prompt = fc.array(fc.constantFrom(1, 50), { minLength: 17, maxLength: 40 });
    const generation = fc.record({
      prompt,
      maxNewTokens: fc.integer({ min: 1, max: 6 }),
      // The number of tokens after which its reader leaves.
      read: fc.integer({ min: 0, max: 6 }),
      // Whether the next one starts before it has ended.
      isOverlapped: fc.boolean(),
    });
    const limits = fc.record({
      rows: fc.constantFrom(Number.POSITIVE_INFINITY, 20, 64),
      recurrent: fc.boolean(),
      dependsOnMore: fc.constant(false),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(generation, { maxLength: 8 }),
        fc.integer({ min: 0, max: 90 }),
        limits,
        async (all, maxTokens, limit) => {
          const group = new FakeRankGroup();
          const scheduler = new Scheduler(group, {
            prefixCache: prefixes(maxTokens, limit),
            prefillChunk: 16,
          });
          group.beforeAnswer = () => setImmediate();
          const running: Promise<void>[] = [];
          for (const { prompt, maxNewTokens, read, isOverlapped } of all) {
            const stream = startGeneration(scheduler, prompt, { maxNewTokens });
            const isRead = (async () => {
              const ids: number[] = [];
              for await (const { id } of stream) if (ids.push(id) >= read) break;
              expect(ids).toEqual(count(Math.max(1, Math.min(read, maxNewTokens)), prompt.at(-1)! + 1));
            })();
            running.push(isRead);
            if (!isOverlapped) await isRead;
          }
          await Promise.all(running);
          const prompts = all.map((one) => [...one.prompt, ...count(9, one.prompt.at(-1)! + 1)].join());
          for (const { tokens, of } of group.restored)
            expect(restorableTokens(limit, of, tokens)).toBe(tokens);
          for (const tokens of group.everCached.values()) {
            expect(prompts.some((tokensOfPrompt) => tokensOfPrompt.startsWith(tokens.join()))).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
