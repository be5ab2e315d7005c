import type { Tensor } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { modelTolerance } from "../../packages/model/src/testing/fixtures.js";
import { load, planOnOneThread } from "../support/loaded-model.js";
import { assembledExport, readReference } from "../support/onnx-exports.js";
import { rankCounts } from "../support/rank-counts.js";

planOnOneThread();

/** Optimum's exports of models that do not read tokens; the checkpoints next to them have no supported architecture. */
const exports = [
  { name: "vit", file: "model.onnx", inputs: { pixel_values: "pixel_values" }, output: "logits" },
  { name: "convnext", file: "model.onnx", inputs: { pixel_values: "pixel_values" }, output: "logits" },
  { name: "wav2vec2", file: "model.onnx", inputs: { input_values: "input_values" }, output: "logits" },
  {
    name: "whisper",
    file: "encoder_model.onnx",
    inputs: { input_features: "input_features" },
    output: "encoder_last_hidden_state",
  },
  {
    name: "whisper",
    file: "decoder_model_merged.onnx",
    inputs: { input_ids: "decoder_input_ids", encoder_hidden_states: "encoder_last_hidden_state" },
    output: "logits",
  },
] as const;

/** On real ranks, compared with transformers. */
describe.each(exports)("optimum/$name/$file", ({ name, file, inputs, output }) => {
  const directory = assembledExport(`optimum/${name}`);
  const reference = readReference({ reference: directory });

  it.each(rankCounts(name))("computes transformers' numbers on %i ranks", async (ranks) => {
    await using model = await load(`${directory}/${file}`, { ranks });
    const given = Object.entries(inputs).map(([input, stored]) => [input, reference.get(stored) as Tensor]);
    const outputs = await model.run(Object.fromEntries(given));
    const { dims, data } = reference.get(output)!;
    const expected = data as Float32Array;
    const [received] = Object.values(outputs);
    expect(received!.dims).toEqual(dims);
    expect(received!.data as Float32Array).toBeAllclose(expected, modelTolerance(expected));
  });
});
