import { readFileSync } from "node:fs";
import { loadModel } from "@ringrank/coordinator";
import { beforeAll, describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel } from "../support/loaded-model.js";
import { meanNegativeLogLikelihood } from "../support/negative-log-likelihood.js";

interface Golden {
  readonly prompts: readonly {
    readonly prompt: string;
    readonly greedy_ids: number[];
    readonly top2_gap: number[];
  }[];
  readonly perplexity_ids: number[];
  readonly perplexity_nll: number;
}

const golden = JSON.parse(readFileSync(`${shakespeareDirectory}/golden.json`, "utf8")) as Golden;

describe.each([1, 2, 3, 4, 8])("the embedded model on %i ranks", (ranks) => {
  const model = loadedModel(shakespeareDirectory, { ranks });

  it.each(golden.prompts)(
    "continues $prompt with transformers' greedy tokens",
    async ({ prompt, greedy_ids, top2_gap }) => {
      const generation = model().generate(prompt, {
        maxNewTokens: greedy_ids.length,
        temperature: 0,
        ignoreEos: true,
      });
      const { ids } = await generation.result;
      expect(ids).toSatisfy(greedyAgreement(greedy_ids, top2_gap));
    },
  );

  it("gives 256 tokens transformers' negative log-likelihood", async () => {
    const ids = golden.perplexity_ids;
    const { logits } = await model().run({ input_ids: [ids] });
    const nll = meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
    // The bound of the project's contract; transformers' own value is rounded to fp32.
    expect(Math.abs(nll - golden.perplexity_nll)).toBeLessThan(1e-4);
  });
});

describe("the embedded model on 2 ranks, where sums cross in a narrower form", () => {
  const nllOn = async (wire: "float32" | "float16" | "int8"): Promise<number> => {
    const ids = golden.perplexity_ids;
    const model = await loadModel(shakespeareDirectory, { ranks: 2, wire });
    const { logits } = await model.run({ input_ids: [ids] });
    await model.close();
    return meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
  };

  // Operands rounded by 2⁻¹¹, or by 1/254 of the largest of 32: far less than quantized weights do.
  it.each(["float16", "int8"] as const)(
    "keeps its perplexity in %s, but not to the last bit",
    async (wire) => {
      const [exact, rounded] = [await nllOn("float32"), await nllOn(wire)];
      expect(rounded).not.toBe(exact);
      expect(100 * Math.abs(Math.exp(rounded - exact) - 1)).toBeLessThan(0.5);
    },
  );
});

let texts: number[][];

beforeAll(async () => {
  texts = await sampledTexts(4, 256);
});

describe.each([
  ["int8", 0.5],
  ["int4", 3.5],
] as const)("the embedded model in %s", (precision, percent) => {
  let alone: number;

  it.each([1, 2, 3, 4])(
    "keeps the perplexity of fp32 and of one rank, within bounds, on %i ranks",
    async (ranks) => {
      // A kept shard would be what another build has quantized.
      const model = await loadModel(shakespeareDirectory, { ranks, precision, cache: false });
      const nllOf = async (ids: number[]): Promise<number> => {
        const { logits } = await model.run({ input_ids: [ids] });
        return meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
      };
      const nlls = [await nllOf(golden.perplexity_ids)];
      for (const ids of texts) nlls.push(await nllOf(ids));
      await model.close();
      // Bounds of the project's contract; README has what was measured.
      expect(100 * (Math.exp(nlls[0]! - golden.perplexity_nll) - 1)).toBeLessThan(percent);
      // Activations that round to the other side move the perplexity of 256 tokens by 0.1% at random, up as well as
      // down.
      const mean = nlls.reduce((sum, nll) => sum + nll) / nlls.length;
      if (ranks === 1) alone = mean;
      expect(100 * Math.abs(Math.exp(mean - alone) - 1)).toBeLessThan(0.2);
    },
  );
});

/** What the model says in fp32, by chance. */
async function sampledTexts(count: number, tokens: number): Promise<number[][]> {
  const model = await loadModel(shakespeareDirectory, { ranks: 1 });
  const [start] = golden.perplexity_ids;
  const generations = Array.from({ length: count }, (_, seed) =>
    model.generate([start!], { temperature: 1, seed, maxNewTokens: tokens - 1, ignoreEos: true }),
  );
  const results = await Promise.all(generations.map(({ result }) => result));
  await model.close();
  return results.map(({ ids }) => [start!, ...ids]);
}
