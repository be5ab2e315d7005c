import { join } from "node:path";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { openCheckpoint } from "../checkpoint/index.js";
import { openOnnx } from "../onnx/index.js";
import { loadTokenizer } from "../tokenizer/tokenizer.js";

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 988097824\n`;

it.each<[string, (directory: string) => unknown]>([
  ["model.safetensors", openCheckpoint],
  ["tokenizer.json", loadTokenizer],
  ["model.onnx", (directory) => openOnnx(join(directory, "model.onnx"))],
])("a clone without Git LFS has a pointer in place of %s, which is said", (name, open) => {
  const directory = temporaryDirectory({ "config.json": "{}", [name]: pointer });
  const error = expectCode("RR_FILE_FORMAT", () => open(directory));
  expect(error.message).toContain(`${name}: expected the file itself`);
  expect(error.message).toContain("git lfs pull");
});
