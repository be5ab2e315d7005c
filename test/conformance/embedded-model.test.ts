import { readFileSync } from "node:fs";
import type { Model } from "@ringrank/coordinator";
import { beforeAll, describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { greedyAgreement } from "../support/greedy.js";
import { load, loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { meanNegativeLogLikelihood } from "../support/negative-log-likelihood.js";

planOnOneThread();

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

// Loaded once for all tests that read it.
const alone = loadedModel(shakespeareDirectory, { ranks: 1 });
const onTwo = loadedModel(shakespeareDirectory, { ranks: 2 });

const perplexityNll = async (model: Model): Promise<number> => {
  const ids = golden.perplexity_ids;
  const { logits } = await model.run({ input_ids: [ids] });
  return meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
};

describe.each([
  { ranks: 1, tokens: 64, loaded: alone },
  { ranks: 2, tokens: 64, loaded: onTwo },
  // Fewer tokens if ranks outnumber the cores of many machines: each sum waits for all ranks to be scheduled.
  { ranks: 3, tokens: 32 },
  { ranks: 4, tokens: 32 },
  { ranks: 8, tokens: 16 },
])("the embedded model on $ranks ranks", ({ ranks, tokens, loaded }) => {
  const model = loaded ?? loadedModel(shakespeareDirectory, { ranks });

  it(`continues every prompt with ${tokens} of transformers' greedy tokens, all at once`, async () => {
    const generations = golden.prompts.map(({ prompt }) =>
      model().generate(prompt, { maxNewTokens: tokens, temperature: 0, ignoreEos: true }),
    );
    for (const [index, { greedy_ids, top2_gap }] of golden.prompts.entries()) {
      const [expected, gaps] = [greedy_ids, top2_gap].map((all) => all.slice(0, tokens));
      expect((await generations[index]!.result).ids).toSatisfy(greedyAgreement(expected!, gaps!));
    }
  });

  it("computes transformers' negative log-likelihood of 256 tokens", async () => {
    // The bound of the project's contract; transformers' own value is rounded to fp32.
    expect(Math.abs((await perplexityNll(model())) - golden.perplexity_nll)).toBeLessThan(1e-4);
  });
});

describe("the embedded model on 2 ranks that exchange sums in a narrower form", () => {
  // Operands rounded by 2⁻¹¹, or by 1/254 of the largest of 32: far less than the error of quantized weights.
  it.each(["float16", "int8"] as const)(
    "keeps its perplexity in %s, but not to the last bit",
    async (wire) => {
      const narrow = await load(shakespeareDirectory, { ranks: 2, wire });
      const rounded = await perplexityNll(narrow);
      await narrow.close();
      const exact = await perplexityNll(onTwo());
      expect(rounded).not.toBe(exact);
      expect(100 * Math.abs(Math.exp(rounded - exact) - 1)).toBeLessThan(0.5);
    },
  );
});

describe("the embedded model, quantized", () => {
  let texts: number[][];
  beforeAll(async () => {
    texts = await sampledTexts(3, 256);
  });

  it.each([
    ["int8", 0.5],
    ["int4", 3.5],
  ] as const)(
    "in %s keeps the perplexity of fp32 on 1 to 4 ranks, and that of one rank on 2 to 4, within bounds",
    async (precision, percent) => {
      const nllsOn = async (ranks: number): Promise<number[]> => {
        // A cached shard would be what another build quantized.
        const model = await load(shakespeareDirectory, { ranks, precision, cache: false });
        const nlls: number[] = [];
        for (const ids of [golden.perplexity_ids, ...texts]) {
          const { logits } = await model.run({ input_ids: [ids] });
          nlls.push(meanNegativeLogLikelihood(logits!.data as Float32Array, ids));
        }
        await model.close();
        return nlls;
      };
      const one = await nllsOn(1);
      for (const ranks of [1, 2, 3, 4]) {
        const nlls = ranks === 1 ? one : await nllsOn(ranks);
        // Bounds of the project's contract; the README has the measured values.
        const above = 100 * (Math.exp(nlls[0]! - golden.perplexity_nll) - 1);
        expect(above, `% above fp32 on ${ranks} ranks`).toBeLessThan(percent);
        // Activations that round the other way change the perplexity of 256 tokens by 0.1% at random, up or down.
        const apart = 100 * Math.abs(Math.exp(mean(nlls) - mean(one)) - 1);
        expect(apart, `% from one rank on ${ranks} ranks`).toBeLessThan(0.2);
      }
    },
  );
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number) / numbers.length;
}

/** Samples texts from the model in fp32. */
async function sampledTexts(count: number, tokens: number): Promise<number[][]> {
  const [start] = golden.perplexity_ids;
  const generations = Array.from({ length: count }, (_, seed) =>
    alone().generate([start!], { temperature: 1, seed, maxNewTokens: tokens - 1, ignoreEos: true }),
  );
  const results = await Promise.all(generations.map(({ result }) => result));
  return results.map(({ ids }) => [start!, ...ids]);
}
