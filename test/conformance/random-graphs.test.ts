import { planGraph } from "@ringrank/policy";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { type Block, type Recipe, randomGraph } from "../support/random-graph.js";
import { randomRuns } from "../support/random-runs.js";
import { productChoices, runSplit, runWhole } from "../support/split-and-whole.js";

const block: fc.Arbitrary<Block> = fc.record({
  kind: fc.constantFrom("attention", "fused attention", "feed-forward", "gated", "convolution"),
  layout: fc.constantFrom("apart", "thirds", "interleaved"),
  parallel: fc.boolean(),
  bias: fc.boolean(),
  products: fc.constantFrom("real", "by column", "by block", "integer"),
});

const recipe: fc.Arbitrary<Recipe> = fc.record({
  seed: fc.nat(),
  keyHeads: fc.integer({ min: 1, max: 5 }),
  group: fc.integer({ min: 1, max: 4 }),
  lanes: fc.integer({ min: 1, max: 5 }),
  inner: fc.integer({ min: 1, max: 19 }),
  vocabulary: fc.integer({ min: 2, max: 23 }),
  blocks: fc.array(block, { minLength: 1, maxLength: 3 }),
});

describe("a random graph of random shape", () => {
  it("computes, on any number of ranks and for either objective, what one session of ONNX Runtime does", async () => {
    const cases = fc.asyncProperty(
      recipe,
      fc.integer({ min: 2, max: 9 }),
      fc.constantFrom("memory" as const, "time" as const),
      fc.constantFrom(...productChoices),
      async (made, ranks, objective, products) => {
        const random = randomGraph(made);
        const inputs = { ids: idsFor(made) };
        const whole = (await runWhole(random, inputs)).logits!.data as Float32Array;
        const policy = planGraph(random.graph, { ranks, objective });
        const split = (await runSplit(random, policy, inputs, products)).logits!.data as Float32Array;
        expect(split).toBeAllclose(whole, { rtol: 0, atol: toleranceOf(made) * standardDeviation(whole) });
      },
    );
    await fc.assert(cases, { ...randomRuns(40), endOnFailure: false });
  }, 600_000);
});

/**
 * Sums of a few dozen summands, in another order: about 1e-6 of numbers around 1. Quantized activations differ by a
 * whole step, 1/255 of their range, if the last bits of two values lie on different sides of a half. A wrong share is
 * off by the standard deviation itself.
 */
function toleranceOf({ blocks }: Recipe): number {
  return blocks.some(({ products }) => products === "integer") ? 0.1 : 1e-4;
}

function idsFor({ seed, vocabulary }: Recipe): EmulatedTensor {
  const data = BigInt64Array.from({ length: 6 }, (_, index) => BigInt((seed + 7 * index) % vocabulary));
  return { type: "int64", dims: [2, 3], data };
}
