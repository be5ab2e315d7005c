import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renameValues, reorderNodes } from "../graph/index.js";
import { modelTolerance, readGolden, shakespeareDirectory, zooDirectory } from "../testing/fixtures.js";
import { UnsplitModel } from "../testing/unsplit-model.js";

/** fp32 sums in another order. */
const sameNumbers = { rtol: 0, atol: 1e-5 };

describe.each(["llama", "gpt2", "bloom", "mistral-window"])("the inputs of %s", (name) => {
  const { inputIds, logits: golden, vocabulary } = readGolden(name);
  const tolerance = modelTolerance(golden);
  let model: UnsplitModel;

  beforeAll(async () => {
    model = await UnsplitModel.load(zooDirectory(name));
  });
  afterAll(() => model.release());

  it("logit_rows selects rows, in the given order, and repeatedly if asked", async () => {
    const rows = [23, 0, 11, 11];
    const logits = await model.start(2).step(inputIds, { rows });
    const expected = rows.flatMap((row) => [...golden.subarray(row * vocabulary, (row + 1) * vocabulary)]);
    expect(logits.dims).toEqual([4, vocabulary]);
    expect(logits.data as Float32Array).toBeAllclose(Float32Array.from(expected), tolerance);
  });

  it("attention_mask hides padding, in this step and in later ones", async () => {
    const [ids] = inputIds;
    const run = model.start(2);
    const prompt = [[0, 0, 0, ...ids!.slice(0, 5)], ids!.slice(0, 8)];
    await run.step(prompt, { mask: [[0, 0, 0, 1, 1, 1, 1, 1], Array<number>(8).fill(1)] });
    const padded = await run.step([ids!.slice(5, 9), ids!.slice(8, 12)]);
    const expected = golden.subarray(5 * vocabulary, 9 * vocabulary);
    const first = (padded.data as Float32Array).subarray(0, 4 * vocabulary);
    expect(first).toBeAllclose(Float32Array.from(expected), tolerance);
  });
});

it("computes the same whatever values are called, and in any topological order of nodes", async () => {
  const { inputIds } = readGolden("llama");
  const interfaceValues = new Set<string>();
  const model = await UnsplitModel.load(zooDirectory("llama"), (graph) => {
    for (const { name } of [...graph.inputs, ...graph.outputs]) interfaceValues.add(name);
    let fresh = 0;
    const rename = (name: string) => (interfaceValues.has(name) ? name : `v${fresh++}`);
    return reorderNodes(renameValues(graph, rename), (count) => count - 1);
  });
  const original = await UnsplitModel.load(zooDirectory("llama"));
  const [a, b] = [await model.start(2).step(inputIds), await original.start(2).step(inputIds)];
  expect(a.data as Float32Array).toBeAllclose(b.data as Float32Array, sameNumbers);
  await Promise.all([model.release(), original.release()]);
});

interface ShakespeareGolden {
  readonly prompts: { prompt: string; prompt_ids: number[]; greedy_ids: number[]; top2_gap: number[] }[];
  readonly perplexity_ids: number[];
  readonly perplexity_nll: number;
}

describe("the embedded model, unsplit", () => {
  const golden = JSON.parse(readFileSync(`${shakespeareDirectory}/golden.json`, "utf8")) as ShakespeareGolden;
  let model: UnsplitModel;

  beforeAll(async () => {
    model = await UnsplitModel.load(shakespeareDirectory);
  });
  afterAll(() => model.release());

  it.each(golden.prompts)("generates the greedy tokens of the prompt $prompt", async (prompt) => {
    // If the two best logits are closer than this, rounding may choose another token.
    const unsure = prompt.top2_gap.findIndex((gap) => gap < 2e-3);
    const expected = unsure === -1 ? prompt.greedy_ids : prompt.greedy_ids.slice(0, unsure);
    expect(expected.length).toBeGreaterThan(8);
    const run = model.start(1);
    let next = prompt.prompt_ids;
    const tokens: number[] = [];
    while (tokens.length < expected.length) {
      const logits = await run.step([next], { rows: [next.length - 1] });
      next = [argmax(logits.data as Float32Array)];
      tokens.push(...next);
    }
    expect(tokens).toEqual(expected);
  });

  it("computes the negative log-likelihood of 256 tokens", async () => {
    const ids = golden.perplexity_ids;
    const { data, dims } = await model.start(1).step([ids]);
    const vocabulary = dims[1]!;
    const losses = ids.slice(1).map((id, i) => {
      const row = (data as Float32Array).subarray(i * vocabulary, (i + 1) * vocabulary);
      const highest = Math.max(...row);
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x - highest), 0)) + highest - row[id]!;
    });
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(mean).toBeCloseTo(golden.perplexity_nll, 4);
  });
});

function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
