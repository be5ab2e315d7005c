import { describe, expect, it } from "vitest";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { readGoldenGreedy } from "../support/golden-greedy.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel } from "../support/loaded-model.js";

// Rotated heads, biases by distance, windows, states that each token replaces, and both of these.
describe.each(["llama", "bloom", "mistral-window", "mamba2", "qwen3-next"])(
  "prompts of %s that begin alike",
  (name) => {
    const model = loadedModel(zooDirectory(name), { ranks: 2, prefixCacheTokens: 1000 });

    it("compute their beginning once if they are generated at the same time, and continue as transformers does", async () => {
      const { prompt, ids, gaps } = readGoldenGreedy(name);
      // So many of transformers' tokens follow the prompt in each of them.
      const known = [10, 11, 13];
      const few = 6;
      const before = model().counters().tokens;
      const results = await Promise.all(
        known.map((count) => {
          const options = { maxNewTokens: few, temperature: 0, ignoreEos: true };
          return model().generate([...prompt, ...ids.slice(0, count)], options).result;
        }),
      );
      for (const [at, count] of known.entries()) {
        const [expected, apart] = [ids, gaps].map((all) => all.slice(count, count + few));
        expect(results[at]!.ids).toSatisfy(greedyAgreement(expected!, apart!));
      }
      const cached = results.map(({ usage }) => usage.cachedTokens);
      expect(cached).toEqual([0, prompt.length + 10, prompt.length + 11]);
      // Those of the first prompt, one and two that the others add, and all but the last that each generates.
      expect(model().counters().tokens - before).toBe(prompt.length + 10 + 1 + 2 + 3 * (few - 1));
    });
  },
);
