import { describe, expect, it } from "vitest";
import { readGolden, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";

planOnOneThread();

/**
 * Their norms are over columns that ranks share: of each token, a sum of squares crosses between ranks, one number
 * beside those of other tokens. Rounded by the largest of these, it could become 0, which something divides by.
 */
const names = ["mamba2", "bamba", "olmo2"];

describe.each(names)("%s", (name) => {
  const { inputIds, logits } = readGolden(name);
  const mean = logits.reduce((sum, one) => sum + one, 0) / logits.length;
  const deviation = Math.sqrt(logits.reduce((sum, one) => sum + (one - mean) ** 2, 0) / logits.length);

  describe.each(["float16", "int8"] as const)("on 2 ranks whose sums cross in %s", (wire) => {
    const model = loadedModel(zooDirectory(name), { ranks: 2, wire });

    // A number is rounded by up to 2⁻¹¹ of its size, or 1/254 of the largest of 32, several times in these models. The
    // largest difference in int8 is 0.12 of the deviation.
    it("computes transformers' logits, up to what rounding partial sums costs", async () => {
      const run = await model().run({ input_ids: inputIds });
      const atol = deviation * (wire === "float16" ? 5e-3 : 0.2);
      expect(run.logits!.data as Float32Array).toBeAllclose(logits, { rtol: 0, atol });
    });
  });
});
