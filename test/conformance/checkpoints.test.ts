import { readFileSync } from "node:fs";
import { loadModel, type Model } from "@ringrank/coordinator";
import { openCheckpoint } from "@ringrank/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readGolden,
  standardDeviation,
  zooDirectory,
  zooNames,
} from "../../packages/model/src/testing/fixtures.js";
import { greedyAgreement } from "../support/greedy.js";
import { oracleBytes } from "../support/oracle.js";

/** Every causal checkpoint of the zoo on real ranks, against what transformers computed. */
describe.each(zooNames("causal"))("%s", (name) => {
  const golden = readGolden(name);
  const { inputIds, logits, vocabulary } = golden;
  // The project's bound on every model: fp32 sums taken in another order differ by some 1e-6 of a deviation.
  const tolerance = { rtol: 0, atol: 1e-4 * standardDeviation(logits) };
  const rowLogits = (row: number): Float32Array => {
    const size = inputIds[row]!.length * vocabulary;
    return logits.subarray(row * size, (row + 1) * size);
  };

  describe.each([1, 2, 3, 4])("on %i ranks", (ranks) => {
    let model: Model;
    beforeAll(async () => {
      model = await loadModel(zooDirectory(name), { ranks });
    });
    afterAll(() => model.close());

    it("run gives transformers' logits", async () => {
      const { logits: whole } = await model.run({ input_ids: inputIds });
      expect(whole).toMatchObject({ type: "float32", dims: [2, inputIds[0]!.length, vocabulary] });
      expect(whole!.data as Float32Array).toBeAllclose(logits, tolerance);
    });

    it("run gives each sequence's last logits alone where only those are wanted", async () => {
      const { logits: last } = await model.run({ input_ids: inputIds }, { logits: "last" });
      expect(last!.dims).toEqual([2, 1, vocabulary]);
      const expected = inputIds.flatMap((_, row) => [...rowLogits(row).subarray(-vocabulary)]);
      expect(last!.data as Float32Array).toBeAllclose(expected, tolerance);
    });

    it.each([
      ["one token at a time", Array<number>(12).fill(1)],
      ["in chunks of 1, 5 and 6", [1, 5, 6]],
    ])("the cache gives the same logits %s, and only new tokens enter", async (_, chunks) => {
      const before = model.counters().tokens;
      const parts = await Promise.all(inputIds.map((ids) => appended(model, ids, chunks)));
      for (const [row, part] of parts.entries()) expect(part).toBeAllclose(rowLogits(row), tolerance);
      expect(model.counters().tokens - before).toBe(inputIds.flat().length);
    });

    it("greedy tokens agree as long as the two best logits are told apart", async () => {
      const { greedy_prompt, greedy, greedy_top2_gap } = readGreedy(name);
      const generation = model.generate(greedy_prompt, {
        maxNewTokens: greedy.length,
        temperature: 0,
        ignoreEos: true,
      });
      const { ids } = await generation.result;
      expect(ids).toSatisfy(greedyAgreement(greedy, greedy_top2_gap));
    });

    it("each rank keeps exactly the bytes that the policy predicts", () => {
      expect(model.memory().map(({ bytesKept }) => bytesKept)).toEqual(model.policy.bytesPerRank);
    });

    it("no rank keeps more than a tenth over what a split by tensor names would give it", () => {
      const oracle = oracleBytes(openCheckpoint(zooDirectory(name)), ranks);
      expect(Math.max(...model.policy.bytesPerRank)).toBeLessThanOrEqual(1.1 * oracle);
    });
  });
});

/** Logits of every position of `ids`, fed through the cache in chunks of these lengths. */
async function appended(model: Model, ids: readonly number[], chunks: readonly number[]): Promise<number[]> {
  const sequence = model.sequence();
  const all: number[] = [];
  let at = 0;
  for (const length of chunks) {
    const { logits } = await sequence.append(ids.slice(at, at + length));
    all.push(...logits.data);
    at += length;
  }
  sequence.close();
  return all;
}

interface Greedy {
  readonly greedy_prompt: number[];
  readonly greedy: number[];
  readonly greedy_top2_gap: number[];
}

function readGreedy(name: string): Greedy {
  return JSON.parse(readFileSync(`${zooDirectory(name)}/golden.json`, "utf8")) as Greedy;
}
