import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
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
