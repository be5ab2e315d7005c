import { cpSync } from "node:fs";
import { join } from "node:path";
import { loadModel, planModel } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel } from "../support/loaded-model.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { workerThreads } from "../support/worker-threads.js";

describe("bad input", () => {
  const model = loadedModel(shakespeareDirectory, { ranks: 2 });

  it.each<[string, string, string | number[]]>([
    ["RR_CONTEXT", "a prompt longer than the context", new Array<number>(513).fill(5)],
    ["RR_EMPTY_PROMPT", "an empty text", ""],
    ["RR_EMPTY_PROMPT", "no token ids", []],
    ["RR_TOKEN_ID", "an id past the vocabulary", [5, 2048]],
    ["RR_TOKEN_ID", "a negative id", [-1]],
    ["RR_TOKEN_ID", "half an id", [1.5]],
  ])("passed to generate is %s, and the model stays usable: %s", async (code, _, prompt) => {
    const generation = model().generate(prompt, { maxNewTokens: 2 });
    await expect(generation.result).rejects.toMatchObject({ code });
    await expect(generation[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code });
    const { ids } = await model().generate([5], { maxNewTokens: 2, ignoreEos: true }).result;
    expect(ids).toHaveLength(2);
  });

  it("passed to run is a coded error, and the model stays usable", async () => {
    await expect(model().run({ input_ids: [[1, 2], [3]] })).rejects.toMatchObject({ code: "RR_SHAPE" });
    await expect(model().run({ ids: [[1]] })).rejects.toMatchObject({ code: "RR_INPUT" });
    const { logits } = await model().run({ input_ids: [[1, 2]] }, { logits: "last" });
    expect(logits!.dims).toEqual([1, 1, 2048]);
  });

  it("excludes a prompt that leaves room, which is continued to the end of the context", async () => {
    const prompt = new Array<number>(510).fill(5);
    const { ids, finishReason } = await model().generate(prompt, { ignoreEos: true, temperature: 0 }).result;
    expect(ids).toHaveLength(3);
    expect(finishReason).toBe("length");
  });
});

describe("what cannot be loaded", () => {
  it.each([0, -1, 1.5, 1000])("is RR_RANKS: %d ranks", async (ranks) => {
    await expect(loadModel(shakespeareDirectory, { ranks })).rejects.toMatchObject({ code: "RR_RANKS" });
    await expect(planModel(shakespeareDirectory, { ranks })).rejects.toMatchObject({ code: "RR_RANKS" });
  });

  it("is RR_NOT_A_MODEL: a directory without a config, or a single file of a checkpoint", async () => {
    await expect(loadModel(temporaryDirectory())).rejects.toMatchObject({ code: "RR_NOT_A_MODEL" });
    const file = join(shakespeareDirectory, "model.safetensors");
    await expect(loadModel(file)).rejects.toMatchObject({
      code: "RR_NOT_A_MODEL",
      message: expect.stringContaining("pass the directory"),
    });
  });

  it("is RR_MISSING_FILE: an index that names a shard which does not exist", async () => {
    const directory = temporaryDirectory({
      "model.safetensors.index.json": JSON.stringify({
        weight_map: { "lm_head.weight": "model-2.safetensors" },
      }),
    });
    cpSync(join(shakespeareDirectory, "config.json"), join(directory, "config.json"));
    await expect(loadModel(directory, { ranks: 2 })).rejects.toMatchObject({ code: "RR_MISSING_FILE" });
  });

  it("is RR_MISSING_FILE: a config without weights, although it can be planned", async () => {
    const directory = temporaryDirectory();
    cpSync(join(shakespeareDirectory, "config.json"), join(directory, "config.json"));
    expect((await planModel(directory, { ranks: 2 })).ranks).toBe(2);
    await expect(loadModel(directory, { ranks: 2 })).rejects.toMatchObject({ code: "RR_MISSING_FILE" });
  });

  it("is RR_POLICY: a policy for another number of ranks, or no policy at all", async () => {
    const policy = await planModel(shakespeareDirectory, { ranks: 2 });
    for (const wrong of [policy, { rank: 3 }]) {
      const loading = loadModel(shakespeareDirectory, { ranks: 3, policy: wrong });
      await expect(loading).rejects.toMatchObject({ code: "RR_POLICY" });
    }
  });

  it("leaves no thread", () => {
    // The model of the other tests is closed by now.
    expect(workerThreads()).toBe(0);
  });
});
