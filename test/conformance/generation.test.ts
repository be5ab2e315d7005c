import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel } from "../support/loaded-model.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const prompts = [
  "ROMEO:\n",
  "To be, or not to be",
  "JULIET:\nO Romeo, Romeo, wherefore art thou",
  "KING:",
  "Enter two",
  "What",
  "My lord, I come to",
  "The quality of mercy is not",
];

// Loaded once for all tests that read it.
const onTwo = loadedModel(shakespeareDirectory, { ranks: 2 });

describe("eight concurrent generations of different lengths", () => {
  const options = (index: number) => ({
    maxNewTokens: 4 + 3 * index,
    temperature: 0.8,
    seed: index,
    ignoreEos: true,
  });
  const tokens = async (index: number): Promise<readonly number[]> =>
    (await onTwo().generate(prompts[index]!, options(index)).result).ids;

  it("compute the tokens that each computes alone", async () => {
    const alone: (readonly number[])[] = [];
    for (const index of prompts.keys()) alone.push(await tokens(index));
    const together = await Promise.all([...prompts.keys()].map(tokens));
    expect(together).toEqual(alone);
  });

  it("share decode steps: together they take fewer than in sequence", async () => {
    const before = onTwo().counters().steps;
    await Promise.all([...prompts.keys()].map(tokens));
    const longest = options(prompts.length - 1).maxNewTokens;
    const sum = [...prompts.keys()].reduce((total, index) => total + options(index).maxNewTokens, 0);
    const steps = onTwo().counters().steps - before;
    expect(steps).toBeGreaterThanOrEqual(longest);
    expect(steps).toBeLessThan(sum / 2);
  });
});

it("compute nothing after an end of sequence, although steps are sent ahead", async () => {
  const directory = temporaryDirectory();
  for (const file of ["config.json", "model.safetensors"]) {
    cpSync(join(shakespeareDirectory, file), join(directory, file));
  }
  // The ids of single letters and punctuation, so that every continuation ends soon.
  const eosIds = Array.from({ length: 100 }, (_, id) => id);
  writeFileSync(join(directory, "generation_config.json"), JSON.stringify({ eos_token_id: eosIds }));
  const model = await loadModel(directory, { ranks: 2 });
  try {
    const generations = Array.from({ length: 8 }, (_, seed) =>
      model.generate([300, 400 + seed], { temperature: 1, seed, maxNewTokens: 200 }),
    );
    const results = await Promise.all(generations.map(({ result }) => result));
    expect(new Set(results.map(({ finishReason }) => finishReason))).toEqual(new Set(["eos"]));
    const entered = results.map(({ usage }) => usage.promptTokens + usage.completionTokens - 1);
    expect(model.counters().tokens).toBe(entered.reduce((sum, tokens) => sum + tokens, 0));
  } finally {
    await model.close();
  }
});

it("tokens of a prompt turn by its whole length if their rotary scaling depends on it, in whatever parts it comes", async () => {
  const longrope = { rope_type: "longrope", short_factor: Array(8).fill(1), long_factor: Array(8).fill(4) };
  // The first part, 512 tokens, is within the original context, and the whole prompt is not.
  const context = { max_position_embeddings: 1024, original_max_position_embeddings: 520 };
  const config = {
    ...JSON.parse(readFileSync(join(zooDirectory("llama"), "config.json"), "utf8")),
    ...context,
    rope_parameters: { ...longrope, rope_theta: 10_000 },
  };
  const directory = temporaryDirectory({ "config.json": JSON.stringify(config) });
  cpSync(join(zooDirectory("llama"), "model.safetensors"), join(directory, "model.safetensors"));
  const ids = Array.from({ length: 540 }, (_, at) => 3 + ((at * at) % 300));
  const model = await loadModel(directory, { ranks: 2 });
  try {
    const { logits } = await model.run({ input_ids: [ids] }, { logits: "last" });
    const whole = Array.from(logits!.data as Float32Array);
    const { logits: inParts } = await model.sequence().append(ids);
    // fp32 sums in another order; if the first part turned by its own length, logits would differ by more than 1.
    expect(inParts.data.slice(-whole.length)).toBeAllclose(whole, { rtol: 0, atol: 1e-3 });
    const sum = whole.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for await (const { id, logprob } of model.generate(ids, {
      maxNewTokens: 1,
      temperature: 0,
      logprobs: true,
    })) {
      expect(logprob).toBeCloseTo(whole[id]! - Math.log(sum), 3);
    }
  } finally {
    await model.close();
  }
});

describe("one seed", () => {
  const [alone, onFour] = [1, 4].map((ranks) => loadedModel(shakespeareDirectory, { ranks }));

  it.each([
    ["temperature alone", { temperature: 1 }],
    ["top-k", { temperature: 1, topK: 20 }],
    ["top-p and a repetition penalty", { temperature: 0.9, topP: 0.9, repetitionPenalty: 1.2 }],
    ["min-p", { temperature: 1.2, minP: 0.05 }],
  ])("samples the same tokens on 1, 2 and 4 ranks, with %s", async (_, sampling) => {
    const ids: (readonly number[])[] = [];
    for (const model of [alone!, onTwo, onFour!]) {
      const options = { ...sampling, seed: 7, maxNewTokens: 32, ignoreEos: true };
      ids.push((await model().generate("ROMEO:\n", options).result).ids);
    }
    expect(ids[1]).toEqual(ids[0]);
    expect(ids[2]).toEqual(ids[0]);
    expect(new Set(ids[0]).size).toBeGreaterThan(5);
  });
});
