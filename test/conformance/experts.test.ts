import { openCheckpoint } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";

planOnOneThread();

/** Models with experts, and how many of their layers have them. */
const mixtures: readonly (readonly [name: string, layers: number])[] = [
  ["mixtral", 2],
  ["qwen3-moe", 2],
  ["gpt-oss", 2],
  // Gate and up are one matrix.
  ["granitemoe", 2],
  // The first layer is dense.
  ["deepseek-v3", 1],
];

describe.each(mixtures)("%s", (name, layers) => {
  const { config } = openCheckpoint(zooDirectory(name));
  const perToken = config.num_experts_per_tok as number;
  const experts = (config.num_local_experts ?? config.num_experts ?? config.n_routed_experts) as number;

  describe.each([1, 2])("on %i ranks", (ranks) => {
    const model = loadedModel(zooDirectory(name), { ranks });

    it("reads, for one token, the weights of the experts it is routed to and of no others", async () => {
      const before = model().counters().experts;
      const sequence = model().sequence();
      await sequence.append([7]);
      sequence.close();
      expect(model().counters().experts - before).toBe(layers * perToken);
      expect(perToken).toBeLessThan(experts);
    });

    it("runs each expert once for all tokens that are routed to it", async () => {
      const before = model().counters().experts;
      const sequence = model().sequence();
      await sequence.append(Array.from({ length: 100 }, (_, index) => index + 3));
      sequence.close();
      const ran = model().counters().experts - before;
      expect(ran).toBeGreaterThan(layers * perToken);
      expect(ran).toBeLessThanOrEqual(layers * experts);
    });
  });
});
