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

  it("continues every prompt with transformers' greedy tokens, all at once", async () => {
    const generations = golden.prompts.map(({ prompt, greedy_ids }) =>
      model().generate(prompt, { maxNewTokens: greedy_ids.length, temperature: 0, ignoreEos: true }),
    );
    for (const [index, { greedy_ids, top2_gap }] of golden.prompts.entries()) {
      expect((await generations[index]!.result).ids).toSatisfy(greedyAgreement(greedy_ids, top2_gap));
    }
  });

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

  let exact: number;
  beforeAll(async () => {
    exact = await nllOn("float32");
  });

  // Operands rounded by 2⁻¹¹, or by 1/254 of the largest of 32: far less than quantized weights do.
  it.each(["float16", "int8"] as const)(
    "keeps its perplexity in %s, but not to the last bit",
    async (wire) => {
      const rounded = await nllOn(wire);
      expect(rounded).not.toBe(exact);
      expect(100 * Math.abs(Math.exp(rounded - exact) - 1)).toBeLessThan(0.5);
    },
  );
});

describe("the embedded model, quantized", () => {
  let texts: number[][];
  beforeAll(async () => {
    texts = await sampledTexts(4, 256);
  });

  it.each([
    ["int8", 0.5],
    ["int4", 3.5],
  ] as const)(
    "in %s keeps the perplexity of fp32 on 1 to 4 ranks, and that of one rank on 2 to 4, within bounds",
    async (precision, percent) => {
      const nllsOn = async (ranks: number): Promise<number[]> => {
        // A kept shard would be what another build has quantized.
        const model = await loadModel(shakespeareDirectory, { ranks, precision, cache: false });
        const nlls: number[] = [];
        for (const ids of [golden.perplexity_ids, ...texts]) {
          const { logits } = await model.run({ input_ids: [ids] });
          nlls.push(meanNegativeLogLikelihood(logits!.data as Float32Array, ids));
        }
        await model.close();
        return nlls;
      };
      const alone = await nllsOn(1);
      for (const ranks of [1, 2, 3, 4]) {
        const nlls = ranks === 1 ? alone : await nllsOn(ranks);
        // Bounds of the project's contract; README has what was measured.
        const above = 100 * (Math.exp(nlls[0]! - golden.perplexity_nll) - 1);
        expect(above, `% above fp32 on ${ranks} ranks`).toBeLessThan(percent);
        // Activations that round to the other side move the perplexity of 256 tokens by 0.1% at random, up as well as
        // down.
        const apart = 100 * Math.abs(Math.exp(mean(nlls) - mean(alone)) - 1);
        expect(apart, `% from one rank on ${ranks} ranks`).toBeLessThan(0.2);
      }
    },
  );
});

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number) / numbers.length;
}

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
