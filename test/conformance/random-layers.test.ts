import { planGraph } from "@ringrank/policy";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";
import { distance, nudged } from "../support/nudged.js";
import { type AttentionForm, layouts } from "../support/random-attention.js";
import { type Layer, type LayersRecipe, layerKinds, randomLayers } from "../support/random-layers.js";
import { randomRuns } from "../support/random-runs.js";
import {
  admissible,
  productChoices,
  runSplit,
  runWhole,
  shardingOnly,
  type Tensors,
  wholePlan,
} from "../support/split-and-whole.js";

const attention: fc.Arbitrary<AttentionForm> = fc.record({
  layout: fc.constantFrom(...layouts),
  repeat: fc.constantFrom("expand", "gather", "tile", "apart"),
  positions: fc.constantFrom("none", "halves turned", "pairs turned", "slopes", "buckets", "table by head"),
  norm: fc.constantFrom("none", "by head", "by head, weights of its own", "over all heads"),
  mask: fc.constantFrom("none", "causal", "given"),
  computed: fc.boolean(),
  scores: fc.constantFrom("softmax", "softmax, capped", "softmax with a sink", "mixed by head", "none"),
  end: fc.constantFrom("joined", "by head", "gated"),
});

const layer: fc.Arbitrary<Layer> = fc.record({
  kind: fc.constantFrom(...layerKinds),
  attention,
  gate: fc.constantFrom("split", "sliced", "every second", "reshaped"),
  activation: fc.constantFrom("relu", "silu", "gelu"),
  norm: fc.constantFrom("before", "after", "both", "none"),
  bias: fc.boolean(),
  turned: fc.boolean(),
  size: fc.integer({ min: 1, max: 9 }),
});

const recipe: fc.Arbitrary<LayersRecipe> = fc.record({
  seed: fc.nat(),
  keys: fc.integer({ min: 1, max: 5 }),
  group: fc.integer({ min: 1, max: 4 }),
  lanes: fc.integer({ min: 1, max: 6 }),
  inner: fc.integer({ min: 1, max: 17 }),
  vocabulary: fc.integer({ min: 2, max: 23 }),
  layers: fc.array(layer, { minLength: 1, maxLength: 4 }),
  head: fc.constantFrom("tied", "tied by Gemm", "its own", "none"),
  shared: fc.boolean(),
  givesKeys: fc.boolean(),
});

describe("a random graph of different layers", () => {
  it("computes what one session of ONNX Runtime does, as planned and with any one factor shared", async () => {
    const cases = fc.asyncProperty(
      recipe,
      fc.integer({ min: 2, max: 9 }),
      fc.constantFrom("memory" as const, "time" as const),
      fc.nat(),
      fc.constantFrom(...productChoices),
      async (made, ranks, objective, one, products) => {
        const random = randomLayers(made);
        const inputs = inputsOf(made);
        const whole = await runWhole(random, inputs);
        const other = await runWhole(nudged(random), inputs);
        const { factors } = wholePlan(random.graph);
        const plans = [
          admissible(() => planGraph(random.graph, { ranks, objective }), "RR_NOTHING_SHARDED"),
          admissible(
            () => shardingOnly(random.graph, factors[one % factors.length]?.id ?? 0, ranks),
            "RR_POLICY",
          ),
        ];
        for (const policy of plans) {
          if (policy === undefined) continue;
          const split = await runSplit(random, policy, inputs, products);
          for (const [name, { data }] of Object.entries(whole)) {
            const expected = data as Float32Array;
            // A few dozen summands in another order, in up to four layers: about 1e-6. If large numbers cancel the
            // error is larger, and so is the effect of a small change of the weights: of 2300 outputs measured this
            // way, none was further off than 1.25 times that effect.
            const atol =
              1e-5 * Math.max(standardDeviation(expected), 1e-3) + 4 * distance(other, whole, name);
            expect(split[name]!.data).toBeAllclose(expected, { rtol: 0, atol });
          }
        }
      },
    );
    await fc.assert(cases, { ...randomRuns(20), endOnFailure: false });
  }, 600_000);
});

it("a rank that has nothing of the experts' width contributes zeros for them", async () => {
  const attention = {
    layout: "apart",
    repeat: "expand",
    positions: "none",
    norm: "none",
    mask: "none",
    computed: false,
    scores: "softmax",
    end: "joined",
  } as const;
  const experts: Layer = {
    kind: "experts",
    attention,
    gate: "split",
    activation: "relu",
    norm: "before",
    bias: false,
    turned: false,
    size: 1,
  };
  const made: LayersRecipe = {
    seed: 0,
    keys: 1,
    group: 1,
    lanes: 1,
    inner: 2,
    vocabulary: 2,
    layers: [experts],
    head: "its own",
    shared: false,
    givesKeys: false,
  };
  const random = randomLayers(made);
  const inputs = inputsOf(made);
  const whole = await runWhole(random, inputs);
  const split = await runSplit(random, planGraph(random.graph, { ranks: 3 }), inputs);
  // Sums of two numbers.
  expect(split.logits!.data).toBeAllclose(whole.logits!.data as Float32Array, { rtol: 0, atol: 1e-6 });
});

function inputsOf({ seed, vocabulary }: LayersRecipe): Tensors {
  const ids = BigInt64Array.from({ length: 6 }, (_, at) => BigInt((seed + 7 * at) % vocabulary));
  const mask = BigInt64Array.from([1, 1, 1, 1, 1, 0], BigInt);
  return {
    ids: { type: "int64", dims: [2, 3], data: ids },
    mask: { type: "int64", dims: [2, 3], data: mask },
  };
}
