import { loadModel, type Model } from "@ringrank/coordinator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { workerThreads } from "../support/worker-threads.js";

const endless = { ignoreEos: true, maxNewTokens: 400, temperature: 0 };

describe("stopping during generation", () => {
  let model: Model;
  beforeEach(async () => {
    model = await loadModel(shakespeareDirectory, { ranks: 2 });
  });
  afterEach(async () => {
    await model.close();
    expect(workerThreads()).toBe(0);
  });

  it("by abort rejects with the signal's reason and leaves the model usable", async () => {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const generation = model.generate([5], { ...endless, signal: controller.signal });
    const read = async (): Promise<void> => {
      let tokens = 0;
      for await (const _ of generation) if (++tokens === 3) controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    await expect(generation.result).rejects.toBe(reason);
    expect((await model.generate([5], { ...endless, maxNewTokens: 3 }).result).ids).toHaveLength(3);
  });

  it("by an already aborted signal computes nothing", async () => {
    const { result } = model.generate([5], { signal: AbortSignal.abort("no") });
    await expect(result).rejects.toBe("no");
    await expect(model.run({ input_ids: [[1]] }, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(model.counters().steps).toBe(0);
  });

  it("by break frees the cache and leaves the model usable", async () => {
    const generation = model.generate([5], endless);
    for await (const _ of generation) break;
    expect(await generation.result).toMatchObject({ finishReason: "abort" });
    expect((await model.generate([5], { ...endless, maxNewTokens: 2 }).result).ids).toHaveLength(2);
  });

  it("by close rejects every running call with RR_CLOSED", async () => {
    const generations = [model.generate([5], endless), model.generate([6, 7], endless)];
    const reader = generations[0]![Symbol.asyncIterator]();
    await reader.next();
    const calls = [...generations.map(({ result }) => result), model.run({ input_ids: [[1, 2]] })];
    const outcomes = Promise.allSettled(calls);
    await model.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "RR_CLOSED" } });
    }
  });

  it("twice by close has the effect of once, and later calls are RR_CLOSED", async () => {
    const both = [model.close(), model.close()];
    expect(both[0]).toBe(both[1]);
    await Promise.all(both);
    await expect(model.run({ input_ids: [[1]] })).rejects.toMatchObject({ code: "RR_CLOSED" });
    await expect(model.generate("x").result).rejects.toMatchObject({ code: "RR_CLOSED" });
    await expect(model.sequence().append([1])).rejects.toMatchObject({ code: "RR_CLOSED" });
  });
});

describe("stopping while loading", () => {
  it.each(["plan", "load"])(
    "by abort in the phase %s rejects with the reason and leaves no thread",
    async (phase) => {
      const controller = new AbortController();
      const reason = new Error("too slow");
      const phases: string[] = [];
      const loading = loadModel(shakespeareDirectory, {
        ranks: 2,
        signal: controller.signal,
        onProgress: (progress) => {
          phases.push(progress.phase);
          if (progress.phase === phase) controller.abort(reason);
        },
      });
      await expect(loading).rejects.toBe(reason);
      expect(phases).not.toContain("ready");
      expect(workerThreads()).toBe(0);
    },
  );

  it.each(["plan", "load", "ready"])(
    "by an error thrown by onProgress in the phase %s rejects with it",
    async (phase) => {
      const error = new Error("cannot show this");
      const loading = loadModel(shakespeareDirectory, {
        ranks: 2,
        onProgress: (progress) => {
          if (progress.phase === phase) throw error;
        },
      });
      await expect(loading).rejects.toBe(error);
      expect(workerThreads()).toBe(0);
    },
  );
});
