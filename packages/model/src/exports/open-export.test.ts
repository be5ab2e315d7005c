import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assembledExport } from "../../../../test/support/onnx-exports.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { openExport } from "./open-export.js";

it("an encoder–decoder reads a source as long as its config says, even if its target is shorter", () => {
  const config = {
    model_type: "led",
    max_encoder_position_embeddings: 48,
    max_decoder_position_embeddings: 28,
  };
  const directory = temporaryDirectory({ "config.json": JSON.stringify(config) });
  for (const file of ["encoder_model.onnx", "decoder_model_merged.onnx"])
    copyFileSync(join(assembledExport("optimum/bart"), file), join(directory, file));
  expect(openExport(directory)).toMatchObject({ maxContext: 28, maxSource: 48 });
});

describe("files of an encoder–decoder that cannot generate", () => {
  const merged = openExport(assembledExport("optimum/t5/decoder_model_merged.onnx"));

  it("a merged decoder alone computes whole sequences, without a past", () => {
    expect(merged.graph.inputs.map(({ name }) => name)).toEqual([
      "encoder_attention_mask",
      "input_ids",
      "encoder_hidden_states",
    ]);
  });

  it("a decoder alone says what generates", () => {
    expect(merged.obstacle).toMatchObject({
      code: "RR_NO_GENERATE",
      message: expect.stringMatching(
        /encoder_attention_mask\. It reads what an encoder computes: to generate, load the/,
      ),
    });
  });

  it("an encoder that reads no tokens says how to run it", () => {
    expect(() => openExport(assembledExport("optimum/whisper"))).toThrow(
      /the encoder has no input_ids; to run one of them alone, pass its path$/,
    );
  });
});
