import { readFileSync } from "node:fs";
import { type GeneratedToken, loadModel } from "@ringrank/coordinator";
import { runsRelaxedSimd, setKernelFlags } from "@ringrank/webassembly";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { meanNegativeLogLikelihood } from "../support/negative-log-likelihood.js";
import { shareOfCloseRows } from "../support/root-mean-square.js";

// The command starts its own process with these flags; embedded-model.test.ts covers a host on Node 20 without them.
setKernelFlags();
planOnOneThread();

interface Golden {
  readonly prompts: readonly { readonly prompt: string }[];
  readonly perplexity_ids: number[];
  readonly perplexity_nll: number;
}

const golden = JSON.parse(readFileSync(`${shakespeareDirectory}/golden.json`, "utf8")) as Golden;
const ids = golden.perplexity_ids;

it("this engine runs the ranks' own products", () => {
  expect(runsRelaxedSimd()).toBe(true);
});

describe("the embedded model in int4, multiplied by the ranks themselves", () => {
  describe.each([1, 2, 3])("on %i ranks", (ranks) => {
    // A cached shard would be what another build quantized.
    const model = loadedModel(shakespeareDirectory, { ranks, precision: "int4", cache: false });

    it("keeps the perplexity of fp32 within the contract's bound", async () => {
      const { logits } = await model().run({ input_ids: [ids] });
      const nll = meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
      expect(100 * (Math.exp(nll - golden.perplexity_nll) - 1)).toBeLessThan(3.5);
    });

    it("computes in steps of one token what it computes for all at once, up to rounding", async () => {
      const given = ids.slice(0, 64);
      const options = { temperature: 0, maxNewTokens: 48, ignoreEos: true, logprobs: true };
      const tokens: GeneratedToken[] = [];
      for await (const token of model().generate(given, options)) tokens.push(token);
      const made = tokens.map(({ id }) => id);
      const { logits } = await model().run({ input_ids: [[...given, ...made]] });
      const expected = made.map((id, at) => logprobOf(logits!, given.length + at - 1, id));
      // Steps round activations in blocks of 32, and many rows in groups of blocks: each to 1/254 of its largest value.
      expect(tokens.map(({ logprob }) => logprob)).toBeAllclose(expected, { rtol: 0, atol: 0.15 });
    });

    it("computes for each of twelve concurrent generations the tokens that it computes alone", async () => {
      const tokens = async (at: number): Promise<readonly number[]> => {
        const { prompt } = golden.prompts[at % golden.prompts.length]!;
        const options = { maxNewTokens: 4 + at, temperature: 0.8, seed: at, ignoreEos: true };
        return (await model().generate(prompt, options).result).ids;
      };
      const alone: (readonly number[])[] = [];
      for (const at of Array(12).keys()) alone.push(await tokens(at));
      expect(await Promise.all([...Array(12).keys()].map(tokens))).toEqual(alone);
    });
  });
});

describe("the embedded model in int8, multiplied by the ranks", () => {
  // On 256 tokens, another order of sums changes it by 0.2%, so two rank counts are averaged.
  it("keeps the perplexity of fp32 within the contract's bound, on 2 and 3 ranks together", async () => {
    const above = await Promise.all(
      [2, 3].map(async (ranks) => {
        const model = await loadModel(shakespeareDirectory, { ranks, precision: "int8", cache: false });
        const { logits } = await model.run({ input_ids: [ids] });
        await model.close();
        const nll = meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
        return 100 * (Math.exp(nll - golden.perplexity_nll) - 1);
      }),
    );
    expect((above[0]! + above[1]!) / 2).toBeLessThan(0.5);
  });
});

describe.each([
  // Feed-forwards in separate, transposed matrices, and in one matrix with biases.
  ["mixtral", 2],
  ["gpt-oss", 1],
] as const)("the experts of %s in int4, multiplied by %i ranks themselves", (name, ranks) => {
  const int4 = { precision: "int4", cache: false } as const;
  const model = loadedModel(zooDirectory(name), { ...int4, ranks });
  const unrounded = loadedModel(zooDirectory(name), { ...int4, ranks: 1, activations: "float32" });
  // So many that some experts have more rows than kernels take.
  const given = Array.from({ length: 96 }, (_, i) => 5 + ((i * 37) % 250));

  it("compute what ONNX Runtime computes with the same weights, up to rounding", async () => {
    const [own, expected] = await Promise.all(
      [model(), unrounded()].map(async (one) => (await one.run({ input_ids: [given] })).logits!),
    );
    expect(shareOfCloseRows(own!, expected!)).toBeGreaterThanOrEqual(0.9);
  });

  it("compute in steps of one token what they compute for all at once, up to rounding", async () => {
    const options = { temperature: 0, maxNewTokens: 24, ignoreEos: true, logprobs: true };
    const tokens: GeneratedToken[] = [];
    for await (const token of model().generate(given, options)) tokens.push(token);
    const made = tokens.map(({ id }) => id);
    const { logits } = await model().run({ input_ids: [[...given, ...made]] });
    const expected = made.map((id, at) => logprobOf(logits!, given.length + at - 1, id));
    expect(tokens.map(({ logprob }) => logprob)).toBeAllclose(expected, { rtol: 0, atol: 0.3 });
  });
});

describe("the embedded model on ranks of two threads, which leave products to ONNX Runtime", () => {
  const model = loadedModel(shakespeareDirectory, { ranks: 2, threadsPerRank: 2 });

  it("has the reference's likelihoods", async () => {
    const { logits } = await model().run({ input_ids: [ids] });
    // Sums in float32 in another order.
    const nll = meanNegativeLogLikelihood(logits!.data as Float32Array, ids);
    expect([nll]).toBeAllclose([golden.perplexity_nll], { rtol: 1e-4, atol: 0 });
  });
});

function logprobOf(
  { dims, data }: { readonly dims: readonly number[]; readonly data: unknown },
  row: number,
  id: number,
): number {
  const vocabulary = dims.at(-1)!;
  const logits = (data as Float32Array).subarray(row * vocabulary, (row + 1) * vocabulary);
  const max = logits.reduce((most, x) => Math.max(most, x));
  return logits[id]! - max - Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
}
