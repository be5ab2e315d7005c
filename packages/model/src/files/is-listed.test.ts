import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { loadChatTemplate } from "../chat-templates/chat-template.js";
import { openCheckpoint, readGenerationConfig } from "../checkpoint/index.js";
import { exportConfig } from "../exports/export-config.js";
import { loadTokenizer } from "../tokenizer/tokenizer.js";
import { isListed } from "./is-listed.js";

test("a file is in its directory, and not in a file that has the place of its directory", () => {
  const directory = temporaryDirectory({ "config.json": "{}" });
  expect(isListed(join(directory, "config.json"))).toBe(true);
  expect(isListed(join(directory, "tokenizer.json"))).toBe(false);
  expect(isListed(join(directory, "config.json", "tokenizer.json"))).toBe(false);
});

describe("a link to a file that is not there", () => {
  const config = { "config.json": '{ "model_type": "llama" }' };

  it.each<[string, (directory: string) => unknown, Record<string, string>]>([
    ["config.json", openCheckpoint, {}],
    ["config.json", exportConfig, {}],
    ["model.safetensors", openCheckpoint, config],
    ["model.safetensors.index.json", openCheckpoint, config],
    ["generation_config.json", (directory) => readGenerationConfig(directory, {}), config],
    ["tokenizer.json", loadTokenizer, config],
    ["tokenizer_config.json", (directory) => loadChatTemplate(directory, false), config],
    ["chat_template.jinja", (directory) => loadChatTemplate(directory, false), config],
  ])("is missing, instead of a model without %s", (name, read, files) => {
    const directory = temporaryDirectory(files);
    symlinkSync("../../blobs/0123", join(directory, name));
    const error = expectCode("RR_MISSING_FILE", () => read(directory));
    expect(error.message).toContain(name);
    expect(error.message).toContain("download the model again");
  });
});
