import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { openModel } from "./open-model.js";

it("for a checkpoint without an architecture that has ONNX files next to it, the error says how to load one of these", () => {
  const config = JSON.stringify({ model_type: "vit" });
  // A header without tensors.
  const weights = "\x02\0\0\0\0\0\0\0{}";
  const directory = temporaryDirectory({ "config.json": config, "model.safetensors": weights });
  const refused = () => expectCode("RR_UNKNOWN_ARCHITECTURE", () => openModel(directory)).message;
  expect(refused()).not.toContain("dtype");
  mkdirSync(join(directory, "onnx"));
  writeFileSync(join(directory, "onnx/model.onnx"), "");
  expect(refused()).toContain("dtype");
});
