import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { resolveNamedFile } from "./named-file.js";

const commit = "0123456789abcdef0123456789abcdef01234567";

test("finds a file in the model's directory, or in a subdirectory", () => {
  const directory = temporaryDirectory({ "a.bin": "", "onnx/b.bin": "" });
  expect(resolveNamedFile(directory, "a.bin", "index")).toBe(join(directory, "a.bin"));
  expect(resolveNamedFile(directory, "onnx/b.bin", "index")).toBe(join(directory, "onnx", "b.bin"));
  // Written by onnx's `save_model(model, path, location="./a.bin")`.
  expect(resolveNamedFile(directory, "./a.bin", "index")).toBe(join(directory, "a.bin"));
});

test.each(["../a.bin", "x/../../a.bin", "/etc/passwd", "", ".", "..", "a//b", "a/", "C:a", "..\\a", "a\0b"])(
  "refuses the name %j",
  (name) => {
    const directory = temporaryDirectory({ "model/config.json": "", "a.bin": "" });
    const error = expectCode("RR_PATH", () => resolveNamedFile(join(directory, "model"), name, "the index"));
    expect(error.message).toContain("the index");
  },
);

test("refuses a link out of the model's directory, even to one whose name starts the same", () => {
  const directory = temporaryDirectory({ "model/config.json": "", "model-secret/a.bin": "" });
  symlinkSync(join(directory, "model-secret", "a.bin"), join(directory, "model", "a.bin"));
  symlinkSync(join(directory, "model-secret"), join(directory, "model", "folder"));
  expectCode("RR_PATH", () => resolveNamedFile(join(directory, "model"), "a.bin", "index"));
  expectCode("RR_PATH", () => resolveNamedFile(join(directory, "model"), "folder/a.bin", "index"));
});

test("follows links of a hub snapshot into the blobs of its own repository only", () => {
  const cache = temporaryDirectory({
    "models--org--name/blobs/abc": "",
    "models--org--name/refs/secret": "",
    "models--org--other/blobs/def": "",
  });
  const snapshot = join(cache, "models--org--name", "snapshots", commit);
  mkdirSync(join(snapshot, "onnx"), { recursive: true });
  symlinkSync("../../blobs/abc", join(snapshot, "a.safetensors"));
  symlinkSync("../../../blobs/abc", join(snapshot, "onnx", "data"));
  symlinkSync("../../refs/secret", join(snapshot, "refs"));
  symlinkSync("../../../models--org--other/blobs/def", join(snapshot, "other"));
  const blob = join(cache, "models--org--name", "blobs", "abc");
  expect(resolveNamedFile(snapshot, "a.safetensors", "index")).toBe(blob);
  expect(resolveNamedFile(join(snapshot, "onnx"), "data", "model.onnx")).toBe(blob);
  expectCode("RR_PATH", () => resolveNamedFile(snapshot, "refs", "index"));
  expectCode("RR_PATH", () => resolveNamedFile(snapshot, "other", "index"));
});

test("a missing file, or a dangling link, is RR_MISSING_FILE", () => {
  const directory = temporaryDirectory();
  symlinkSync("nothing", join(directory, "dangling"));
  expectCode("RR_MISSING_FILE", () => resolveNamedFile(directory, "gone", "index"));
  expectCode("RR_MISSING_FILE", () => resolveNamedFile(directory, "dangling", "index"));
});
