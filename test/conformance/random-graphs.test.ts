import { buildPrograms, planGraph } from "@ringrank/policy";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmulatedGroup, type EmulatedTensor } from "../support/emulate.js";
import { type Block, type RandomGraph, type Recipe, randomGraph, select } from "../support/random-graph.js";

const block: fc.Arbitrary<Block> = fc.record({
  kind: fc.constantFrom("attention", "feed-forward", "gated"),
  layout: fc.constantFrom("apart", "thirds", "interleaved"),
  parallel: fc.boolean(),
  bias: fc.boolean(),
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
  it("computes on any number of ranks, for either objective, what it computes on one", async () => {
    const cases = fc.asyncProperty(
      recipe,
      fc.integer({ min: 2, max: 9 }),
      fc.constantFrom("memory" as const, "time" as const),
      async (made, ranks, objective) => {
        const random = randomGraph(made);
        const ids = idsFor(made);
        const whole = await logitsOf(random, ids, { ranks: 1, objective });
        const split = await logitsOf(random, ids, { ranks, objective });
        // Two values of up to 12 summands each, in another order: some 1e-6 of numbers around 1.
        expect(split).toBeAllclose(whole, { rtol: 1e-4, atol: 1e-4 });
      },
    );
    await fc.assert(cases, { numRuns: 60, seed: 20, endOnFailure: false });
  });
});

async function logitsOf(
  { graph, contents }: RandomGraph,
  ids: EmulatedTensor,
  options: Parameters<typeof planGraph>[1],
): Promise<Float32Array> {
  const named = new Map([...graph.weights].map(([name, weight]) => [weight, name]));
  const programs = buildPrograms(graph, planGraph(graph, options));
  const group = await EmulatedGroup.open(programs, ({ weight, selection }) =>
    select(contents.get(named.get(weight)!)!, weight.dims, selection),
  );
  try {
    const { logits } = await group.run("forward", { ids });
    return logits!.data as Float32Array;
  } finally {
    await group.close();
  }
}

function idsFor({ seed, vocabulary }: Recipe): EmulatedTensor {
  const data = BigInt64Array.from({ length: 6 }, (_, index) => BigInt((seed + 7 * index) % vocabulary));
  return { type: "int64", dims: [2, 3], data };
}
