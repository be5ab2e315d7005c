import { loadModel, type Model, RingrankError } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { workerThreads } from "../support/worker-threads.js";

const worker = (name: string): URL => new URL(`./workers/${name}.mjs`, import.meta.url);

/** Generates until the fault, then tries to use the model again, then closes it. */
async function outcome(model: Model): Promise<{ ids: number[]; first: unknown; later: unknown }> {
  const ids: number[] = [];
  let first: unknown;
  try {
    for await (const { id } of model.generate([5, 6, 7], { temperature: 0 })) ids.push(id);
  } catch (error) {
    first = error;
  }
  const later: unknown = await model.run({ input_ids: [[1]] }).catch((error: unknown) => error);
  await model.close();
  return { ids, first, later };
}

describe("a fault of a rank during generation", () => {
  it.each([
    { fault: "a rank throws", name: "throws", code: "RR_RANK_FAILED" },
    { fault: "a rank's thread exits", name: "exits", code: "RR_RANK_DIED" },
    { fault: "nobody catches an error in a rank", name: "crashes", code: "RR_RANK_DIED" },
    // Long compared with a step on a busy machine; the other cases do not wait for it.
    { fault: "a rank never arrives", name: "hangs", code: "RR_TIMEOUT", stepTimeoutMs: 1_500 },
  ])("ends the model with $code and the rank: $fault", async ({ name, code, stepTimeoutMs }) => {
    const model = await loadModel(shakespeareDirectory, { ranks: 3, workerUrl: worker(name), stepTimeoutMs });
    const { ids, first, later } = await outcome(model);
    expect(ids.length).toBeLessThanOrEqual(3);
    expect(first).toMatchObject({ code, rank: 1 });
    expect(later).toMatchObject({ code: "RR_MODEL_FAILED", rank: 1, cause: { code, rank: 1 } });
    expect(workerThreads()).toBe(0);
  });

  it("is detected even if no peer waits: the only rank hangs", async () => {
    const model = await loadModel(shakespeareDirectory, {
      workerUrl: worker("hangs-alone"),
      stepTimeoutMs: 1_000,
    });
    const { first } = await outcome(model);
    expect(first).toMatchObject({ code: "RR_TIMEOUT", rank: 0 });
    expect(workerThreads()).toBe(0);
  });

  it("rejects every running call with the same cause", async () => {
    const model = await loadModel(shakespeareDirectory, { ranks: 2, workerUrl: worker("exits") });
    const calls = [[1], [2], [3, 4]].map((prompt) => model.generate(prompt, { ignoreEos: true }).result);
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    await model.close();
    expect(errors[0]).toBeInstanceOf(RingrankError);
    expect(new Set(errors).size).toBe(1);
  });
});

describe("a fault of a rank while loading", () => {
  it("rejects loadModel and leaves no thread", async () => {
    const loading = loadModel(shakespeareDirectory, { ranks: 3, workerUrl: worker("never-serves") });
    await expect(loading).rejects.toMatchObject({ code: "RR_RANK_DIED", rank: 1 });
    expect(workerThreads()).toBe(0);
  });

  it("rejects if the worker's module is missing", async () => {
    const loading = loadModel(shakespeareDirectory, { workerUrl: worker("no-such-module") });
    await expect(loading).rejects.toMatchObject({ code: "RR_RANK_DIED", rank: 0 });
    expect(workerThreads()).toBe(0);
  });
});
