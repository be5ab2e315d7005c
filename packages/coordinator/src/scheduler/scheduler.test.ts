import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { StepRow } from "@ringrank/rank-worker";
import { describe, expect, it } from "vitest";
import { AppendedSequence } from "../sequence.js";
import { FakeRankGroup, gate, tokensOf } from "../testing/fake-rank-group.js";
import { startGeneration } from "../testing/start-generation.js";
import { Scheduler } from "./scheduler.js";

const aRun = { entry: "forward", inputs: {}, outputs: [], logits: "all" } as const;
const limits = { maxContext: 20, vocabSize: 100 };

/** Lets everything that needs no input settle. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

describe("Scheduler", () => {
  it("shares each decode step among all ready sequences", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const prompts = [[1], [11], [21]];
    const results = await Promise.all(
      prompts.map((prompt) => startGeneration(scheduler, prompt, { maxNewTokens: 4 }).result),
    );
    expect(results.map((result) => result.ids)).toEqual([
      [2, 3, 4, 5],
      [12, 13, 14, 15],
      [22, 23, 24, 25],
    ]);
    expect(group.requests.filter(({ rows }) => rows.length === 3)).toHaveLength(4);
  });

  it("gives every sequence its turn if prompts go token by token and a step does not have room for all", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 1, maxRows: 2 });
    const prompts = [[1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16], [21]];
    await Promise.all(
      prompts.map((prompt) => startGeneration(scheduler, prompt, { maxNewTokens: 1 }).result),
    );
    const isServed = (row: StepRow) => row.want !== "next" && row.ids.includes(21);
    expect(group.requests.findIndex(({ rows }) => rows.some(isServed))).toBe(1);
  });

  it("sends a decode step before the previous one is answered, but no more than one", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const generations = [[1], [11]].map((prompt) => startGeneration(scheduler, prompt, { maxNewTokens: 5 }));
    const results = generations.map(({ result }) => result);
    await turns();
    expect(group.requests.map(({ rows }) => rows.map(({ want }) => want))).toEqual([
      ["token", "token"],
      ["next", "next"],
    ]);
    held.open();
    await Promise.all(results);
  });

  it("does not send a step ahead that a pending sequence could still join, whose reader has not returned", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const gates = [gate(), gate(), gate()];
    group.beforeAnswer = (request) => gates[group.requests.indexOf(request)]?.opened;
    const [slow, fast] = [[1], [11]].map((prompt) => startGeneration(scheduler, prompt, { maxNewTokens: 3 }));
    const reader = slow![Symbol.asyncIterator]();
    const first = reader.next();
    const result = fast!.result;
    await turns();
    expect(group.requests).toHaveLength(2);
    gates[0]!.open();
    await first;
    await turns();
    expect(group.requests).toHaveLength(2);
    const second = reader.next();
    await turns();
    expect(group.requests.map(({ rows }) => rows.length)).toEqual([2, 2, 2]);
    for (const { open } of gates) open();
    await Promise.all([second, result]);
  });

  it("sends a step ahead for sequences that continue, even if other pending ones are at their end", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const lengths = [1, 5, 5];
    const [complete, left, other] = lengths.map((maxNewTokens) =>
      startGeneration(scheduler, [1], { maxNewTokens }),
    );
    const results = [complete!.result, other!.result];
    await turns();
    await left![Symbol.asyncIterator]().return!();
    await turns();
    expect(group.requests.map(({ rows }) => rows.length)).toEqual([3, 1]);
    held.open();
    await Promise.all(results);
  });

  it("feeds a prompt in chunks, and lets others decode in between", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 4 });
    const short = startGeneration(scheduler, [1], { maxNewTokens: 6 });
    const long = startGeneration(
      scheduler,
      Array.from({ length: 10 }, (_, i) => i),
      { maxNewTokens: 2 },
    );
    await Promise.all([short.result, long.result]);
    const lengths = group.requests.flatMap(({ rows }) => rows.slice(0, 1).map(tokensOf));
    expect(lengths.slice(0, 6)).toEqual([1, 4, 1, 4, 1, 2]);
  });

  it("says with each part of a prompt, except the last, how long the whole is", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 4 });
    await startGeneration(scheduler, [1, 2, 3, 4, 5, 6, 7, 8, 9], { maxNewTokens: 1 }).result;
    const rows = group.requests.flatMap(({ rows }) => rows);
    expect(rows.map((row) => ("promptLength" in row ? row.promptLength : "none"))).toEqual([9, 9, "none"]);
  });

  it("feeds one prompt to its end before the next one, so that its first token is early", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 4 });
    const prompt = Array.from({ length: 10 }, (_, i) => i);
    const generations = [1, 2].map(() => startGeneration(scheduler, prompt, { maxNewTokens: 1 }));
    await Promise.all(generations.map(({ result }) => result));
    const served = group.requests.flatMap(({ rows }) => rows.map(({ sequence }) => sequence));
    const [first, second] = new Set(served);
    expect(served).toEqual([first, first, first, second, second, second]);
  });

  it("feeds every token once", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 3 });
    const { ids } = await startGeneration(scheduler, [5, 6, 7, 8], { maxNewTokens: 5 }).result;
    expect(ids).toEqual([9, 10, 11, 12, 13]);
    expect([...group.caches.values()]).toEqual([[5, 6, 7, 8, 9, 10, 11, 12]]);
    expect(scheduler.counters.tokens).toBe(8);
  });

  it("has a source encoded once, by itself, and lets others decode in between", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const sources = [[7, 8, 9], [4], [5, 6]];
    const generations = sources.map((source) =>
      startGeneration(scheduler, [1], { maxNewTokens: 5 }, { source }),
    );
    const results = await Promise.all(generations.map(({ result }) => result));
    expect(results.map(({ ids }) => ids)).toEqual(Array(3).fill([2, 3, 4, 5, 6]));
    const encoded = group.requests.flatMap(({ encode = [] }) => encode.map(({ ids }) => ids));
    expect(encoded).toEqual(sources);
    expect(scheduler.counters.sourceTokens).toBe(6);
    const shape = group.requests.slice(0, 4).map(({ encode = [], rows }) => [encode.length, rows.length]);
    expect(shape).toEqual([
      [1, 1],
      [0, 1],
      [1, 1],
      [0, 2],
    ]);
  });

  it("serves sequences in turn if they do not fit into one step", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { maxRows: 2 });
    const all = [10, 20, 30].map((id) => startGeneration(scheduler, [id], { maxNewTokens: 4 }));
    await Promise.all(all.map((one) => one.result));
    const rows = group.requests.slice(0, 3).flatMap((request) => request.rows);
    const [first, ...others] = [...new Set(rows.map(({ sequence }) => sequence))].map(
      (id) => rows.filter(({ sequence }) => sequence === id).length,
    );
    expect([first, ...others]).toEqual([2, 2, 2]);
  });

  it("releases caches when their sequences have ended", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    await startGeneration(scheduler, [1], { maxNewTokens: 2 }).result;
    await startGeneration(scheduler, [2], { maxNewTokens: 2 }).result;
    await scheduler.end(new Error("end"));
    expect(group.caches.size).toBeLessThanOrEqual(1);
    expect(group.requests.flatMap(({ close }) => close).length).toBeGreaterThanOrEqual(1);
  });

  it("releases a cache without waiting for other work", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    await startGeneration(scheduler, [1], { maxNewTokens: 1 }).result;
    const closed = gate();
    group.beforeAnswer = ({ close }) => {
      if (close.length > 0) closed.open();
    };
    await closed.opened;
    expect(group.requests.at(-1)!.rows).toEqual([]);
  });

  it("requests nothing if a sequence ends before its first step", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    await startGeneration(scheduler, [1])[Symbol.asyncIterator]().return!();
    await turns();
    expect(group.requests).toEqual([]);
  });

  it("releases a cache after a run that is in progress, not during it", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const generation = startGeneration(scheduler, [1], { maxNewTokens: 5 });
    await turns();
    const held = gate();
    group.beforeRunAnswer = () => held.opened;
    const run = scheduler.run(aRun, undefined);
    await turns();
    await generation[Symbol.asyncIterator]().return!();
    await turns();
    expect(group.requests.map(({ close }) => close.length)).toEqual([0]);
    held.open();
    await run;
    await turns();
    expect(group.requests.map(({ close }) => close.length)).toEqual([0, 1]);
  });

  it("interleaves runs with decode steps", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const order: string[] = [];
    group.beforeAnswer = () => void order.push("step");
    group.beforeRunAnswer = () => void order.push("run");
    await Promise.all([
      startGeneration(scheduler, [1], { maxNewTokens: 3 }).result,
      scheduler.run(aRun, undefined),
      scheduler.run(aRun, undefined),
    ]);
    expect(order.slice(0, 4)).toEqual(["step", "run", "step", "run"]);
  });

  it("starts a run after the step in progress, not during it, even if nothing is left to do after that step", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const { result } = startGeneration(scheduler, [1], { maxNewTokens: 1 });
    const run = scheduler.run(aRun, undefined);
    await turns();
    expect([group.requests.length, group.runs.length]).toEqual([1, 0]);
    held.open();
    await Promise.all([result, run]);
  });

  it("rejects an aborted run with its reason at once, and starts the next one", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeRunAnswer = () => held.opened;
    const controller = new AbortController();
    const first = scheduler.run(aRun, controller.signal);
    const queued = scheduler.run(aRun, controller.signal);
    const other = scheduler.run(aRun, undefined);
    await setImmediate();
    controller.abort("enough");
    await expect(first).rejects.toBe("enough");
    await expect(queued).rejects.toBe("enough");
    held.open();
    await other;
    expect(group.runs).toHaveLength(2);
  });

  it("does not start a run with a signal that is already aborted", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    await expect(scheduler.run(aRun, AbortSignal.abort("enough"))).rejects.toBe("enough");
    expect(group.runs).toEqual([]);
  });

  it("leaves no listener on a run's signal, which may live longer, whether the run succeeds or fails", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const { signal } = new AbortController();
    await scheduler.run(aRun, signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    group.beforeRunAnswer = () => {
      throw new Error("bad input");
    };
    await expect(scheduler.run(aRun, signal)).rejects.toThrow("bad input");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects work in progress with the cause of a rank's failure, and later work with RR_MODEL_FAILED and that cause", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const running = startGeneration(scheduler, [1]);
    const rejected = expect(running.result).rejects.toMatchObject({ code: "RR_RANK_DIED", rank: 0 });
    await setImmediate();
    const cause = group.fail();
    held.open();
    await rejected;
    await expect(startGeneration(scheduler, [1]).result).rejects.toMatchObject({
      code: "RR_MODEL_FAILED",
      cause,
    });
    await scheduler.end(new Error("closed"));
    await expect(scheduler.run(aRun, undefined)).rejects.toMatchObject({ code: "RR_MODEL_FAILED", cause });
  });

  it("rejects all sequences of a step that fails, and continues after an error that is the caller's", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    group.beforeAnswer = (request) => {
      if (request === group.requests[0]) throw new Error("bad input");
    };
    const sharing = [[1], [11]].map((prompt) => startGeneration(scheduler, prompt).result);
    for (const result of sharing) await expect(result).rejects.toThrow("bad input");
    expect((await startGeneration(scheduler, [1], { maxNewTokens: 1 }).result).ids).toEqual([2]);
  });

  it("only rejects a sequence whose result cannot be processed, not those that share its step", async () => {
    const scheduler = new Scheduler(new FakeRankGroup());
    const detokenize = (): string => {
      throw new Error("no text");
    };
    const broken = startGeneration(scheduler, [1], { maxNewTokens: 2 }, { detokenize });
    const sound = startGeneration(scheduler, [11], { maxNewTokens: 2 });
    const [one, other] = await Promise.allSettled([broken.result, sound.result]);
    expect(one).toMatchObject({ reason: { message: "no text" } });
    expect(other).toMatchObject({ value: { ids: [12, 13] } });
  });

  it("ends all work at once and waits for the step in progress", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const generation = startGeneration(scheduler, [1]);
    const rejected = expect(generation.result).rejects.toThrow("closed");
    await setImmediate();
    let ended = false;
    const end = scheduler.end(new Error("closed")).then(() => {
      ended = true;
    });
    await rejected;
    expect(ended).toBe(false);
    held.open();
    await end;
  });

  it("ends every waiting run, and sends nothing to the ranks afterwards, not even caches to release", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const generation = startGeneration(scheduler, [1], { maxNewTokens: 5 });
    await turns();
    const held = gate();
    group.beforeRunAnswer = () => held.opened;
    const runs = [1, 2, 3, 4].map(() => scheduler.run(aRun, undefined));
    await turns();
    await generation[Symbol.asyncIterator]().return!();
    await turns();
    const end = scheduler.end(new Error("closed"));
    for (const waiting of runs.slice(1)) await expect(waiting).rejects.toThrow("closed");
    held.open();
    await Promise.all([runs[0], end]);
    await turns();
    expect([group.requests.length, group.runs.length]).toEqual([1, 1]);
  });

  it("appends given tokens through the cache and returns the logits of each", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 2 });
    const sequence = new AppendedSequence(900, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    const { logits } = await sequence.append([1, 2, 3]);
    expect(logits).toEqual({ type: "float32", dims: [3, 2], data: Float32Array.of(1, -1, 2, -2, 3, -3) });
    await sequence.append([4]);
    expect(group.caches.get(900)).toEqual([1, 2, 3, 4]);
    expect(sequence.length).toBe(4);
  });

  it("rejects a sequence's append in progress with the cause of a rank's failure, and later ones with RR_MODEL_FAILED", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const held = gate();
    group.beforeAnswer = () => held.opened;
    const sequence = new AppendedSequence(904, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    const running = expect(sequence.append([1])).rejects.toMatchObject({ code: "RR_RANK_DIED", rank: 0 });
    await setImmediate();
    const cause = group.fail();
    held.open();
    await running;
    await expect(sequence.append([2])).rejects.toMatchObject({ code: "RR_MODEL_FAILED", cause });
  });

  it("refuses invalid ids and too many tokens for a sequence, which stays usable", async () => {
    const scheduler = new Scheduler(new FakeRankGroup());
    const sequence = new AppendedSequence(901, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    await expect(sequence.append([])).rejects.toMatchObject({ code: "RR_EMPTY_PROMPT" });
    await expect(sequence.append([100])).rejects.toMatchObject({ code: "RR_TOKEN_ID" });
    await expect(sequence.append(Array(21).fill(1))).rejects.toMatchObject({ code: "RR_CONTEXT" });
    await sequence.append(Array(20).fill(1));
    await expect(sequence.append([1])).rejects.toMatchObject({ code: "RR_CONTEXT" });
    sequence.close();
    await expect(sequence.append([1])).rejects.toMatchObject({ code: "RR_CLOSED" });
  });

  it("appends the tokens as they were given, even if the caller changes the array", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const sequence = new AppendedSequence(905, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    const ids = [1, 2, 3];
    const appended = sequence.append(ids);
    ids.fill(9);
    await appended;
    expect(group.caches.get(905)).toEqual([1, 2, 3]);
  });

  it("releases the cache of a closed sequence without waiting for other work", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group);
    const sequence = new AppendedSequence(906, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    await sequence.append([1]);
    await turns();
    sequence.close();
    await turns();
    expect(group.caches.size).toBe(0);
  });

  it("counts a token towards the context once, whether or not it is in the cache", async () => {
    const group = new FakeRankGroup();
    const scheduler = new Scheduler(group, { prefillChunk: 10 });
    const sequence = new AppendedSequence(907, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    const held = gate();
    group.beforeAnswer = () => (group.requests.length > 1 ? held.opened : undefined);
    const appended = sequence.append(Array(18).fill(1));
    await turns();
    expect(sequence.length).toBe(10);
    const rest = sequence.append([1, 1]);
    held.open();
    await Promise.all([appended, rest]);
    expect(sequence.length).toBe(20);
  });

  it("counts tokens that wait to be appended towards the context", async () => {
    const scheduler = new Scheduler(new FakeRankGroup());
    const sequence = new AppendedSequence(902, undefined, limits, () => scheduler.wake());
    scheduler.add(sequence);
    const waiting = sequence.append(Array(15).fill(1));
    await expect(sequence.append(Array(6).fill(1))).rejects.toMatchObject({ code: "RR_CONTEXT" });
    await waiting;
  });
});
