import type { Tensor } from "@ringrank/coordinator";
import { openOnnx } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { modelTolerance } from "../../packages/model/src/testing/fixtures.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { onnxExports, readReference, referenceInputs } from "../support/onnx-exports.js";
import { rankCounts } from "../support/rank-counts.js";

planOnOneThread();

/**
 * Exports of the fixtures on real ranks, compared with transformers: half of them, or all with `RINGRANK_RANKS=all`.
 * How every export is split is tested without threads, in onnx-exports.test.ts.
 */
const exports = onnxExports().filter(({ name }) => rankCounts(name).includes(2));

describe.each(exports)("$name on 2 ranks", (exported) => {
  const reference = readReference(exported);
  const model = loadedModel(exported.path, { ranks: 2 });

  it("accepts the export's own inputs", async () => {
    const expected = reference.get("logits")!;
    const inputs = referenceInputs(openOnnx(exported.path), reference) as Record<string, Tensor>;
    const logits = (await model().run(inputs)).logits as Tensor;
    expect(logits.dims).toEqual(expected.dims);
    const whole = expected.data as Float32Array;
    expect(logits.data as Float32Array).toBeAllclose(whole, modelTolerance(whole));
  });

  it("each rank keeps exactly the bytes that the policy predicts", () => {
    const reports = model().memory();
    expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(model().policy.bytesPerRank);
  });
});
