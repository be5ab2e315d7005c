import { describe, expect, it } from "vitest";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel } from "../support/loaded-model.js";
import { shareOfCloseRows } from "../support/root-mean-square.js";

/** Enough rows that some experts get more than the kernels multiply at once. */
const ids = Array.from({ length: 96 }, (_, i) => 5 + ((i * 37) % 250));
const directory = zooDirectory("mixtral");

// An engine with relaxed SIMD, which Node 20 has to be told to use, is in multiplying-ranks.test.ts.
describe.each(["int8", "int4"] as const)(
  "experts in %s that ranks multiply by, whatever else they leave to sessions",
  (precision) => {
    const options = { precision, cache: false } as const;
    const unrounded = loadedModel(directory, { ...options, ranks: 1, activations: "float32" });

    describe.each([1, 2])("on 2 ranks of threads: %i", (threadsPerRank) => {
      const model = loadedModel(directory, { ...options, ranks: 2, threadsPerRank });

      it("give what ONNX Runtime makes of the same weights, but for roundings", async () => {
        const [own, expected] = await Promise.all(
          [model(), unrounded()].map(async (one) => (await one.run({ input_ids: [ids] })).logits!),
        );
        expect(shareOfCloseRows(own!, expected!)).toBeGreaterThanOrEqual(0.9);
      });
    });
  },
);
