import { readFileSync } from "node:fs";
import { loadModel, type Model } from "@ringrank/coordinator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shakespeareDirectory } from "../../packages/model/src/testing/fixtures.js";
import { greedyAgreement } from "../support/greedy.js";

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
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(shakespeareDirectory, { ranks });
  });
  afterAll(() => model.close());

  it.each(golden.prompts)(
    "continues $prompt with transformers' greedy tokens",
    async ({ prompt, greedy_ids, top2_gap }) => {
      const generation = model.generate(prompt, {
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
    const { logits } = await model.run({ input_ids: [ids] });
    const nll = meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
    // The bound of the project's contract; transformers' own value is rounded to fp32.
    expect(Math.abs(nll - golden.perplexity_nll)).toBeLessThan(1e-4);
  });
});

/** Of each token after the first, given those before it. */
function meanNegativeLogLikelihood(logits: Float32Array, ids: readonly number[]): number {
  const vocabulary = logits.length / ids.length;
  let sum = 0;
  for (let position = 0; position + 1 < ids.length; position++) {
    const row = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
    const largest = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const total = row.reduce((exponentials, logit) => exponentials + Math.exp(logit - largest), 0);
    sum += largest + Math.log(total) - row[ids[position + 1]!]!;
  }
  return sum / (ids.length - 1);
}
