import { loadModel, type Tensor } from "@ringrank/coordinator";
import { openOnnx } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { modelTolerance } from "../../packages/model/src/testing/fixtures.js";
import { onnxExports, readReference, referenceInputs } from "../support/onnx-exports.js";
import { rankCounts } from "../support/rank-counts.js";

/**
 * Exports of the fixtures on real ranks, compared with transformers: half of them, or all with `RINGRANK_RANKS=all`.
 * How every export is split is tested without threads, in onnx-exports.test.ts.
 */
const exports = onnxExports().filter(({ name }) => rankCounts(name).includes(2));

describe.each(exports)("$name on 2 ranks", (exported) => {
  const reference = readReference(exported);

  it("accepts the export's own inputs", async () => {
    const expected = reference.get("logits")!;
    const model = await loadModel(exported.path, { ranks: 2 });
    try {
      const inputs = referenceInputs(openOnnx(exported.path), reference) as Record<string, Tensor>;
      const logits = (await model.run(inputs)).logits as Tensor;
      expect(logits.dims).toEqual(expected.dims);
      const whole = expected.data as Float32Array;
      expect(logits.data as Float32Array).toBeAllclose(whole, modelTolerance(whole));
      expect(model.memory().map(({ bytesKept }) => bytesKept)).toEqual(model.policy.bytesPerRank);
    } finally {
      await model.close();
    }
  });
});
