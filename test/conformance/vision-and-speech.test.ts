import type { Tensor } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { modelTolerance } from "../../packages/model/src/testing/fixtures.js";
import { load, planOnOneThread } from "../support/loaded-model.js";
import { assembledExport, readReference } from "../support/onnx-exports.js";
import { rankCounts } from "../support/rank-counts.js";

planOnOneThread();

/** Optimum's exports of models that do not read tokens; the checkpoints next to them have no supported architecture. */
const exports = [
  ["vit", "model.onnx", "pixel_values", "logits"],
  ["convnext", "model.onnx", "pixel_values", "logits"],
  ["wav2vec2", "model.onnx", "input_values", "logits"],
  ["whisper", "encoder_model.onnx", "input_features", "encoder_last_hidden_state"],
] as const;

/** On real ranks, compared with transformers. */
describe.each(exports)("optimum/%s", (name, file, input, output) => {
  const directory = assembledExport(`optimum/${name}`);
  const reference = readReference({ reference: directory });

  it.each(rankCounts(name))("computes transformers' numbers on %i ranks", async (ranks) => {
    await using model = await load(`${directory}/${file}`, { ranks });
    const outputs = await model.run({ [input]: reference.get(input) as Tensor });
    const { dims, data } = reference.get(output)!;
    const expected = data as Float32Array;
    const [received] = Object.values(outputs);
    expect(received!.dims).toEqual(dims);
    expect(received!.data as Float32Array).toBeAllclose(expected, modelTolerance(expected));
  });
});
