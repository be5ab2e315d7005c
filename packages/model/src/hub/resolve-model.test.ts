import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { hubCache, resolveModel } from "./resolve-model.js";

const commit = "0123456789abcdef0123456789abcdef01234567";
const older = "f".repeat(40);

/** A cache with one model in two revisions. */
function cacheWithModel() {
  const cache = temporaryDirectory({
    "models--org--name/refs/main": `${commit}\n`,
    "models--org--name/refs/refs/pr/1": older,
    [`models--org--name/snapshots/${commit}/config.json`]: "{}",
    [`models--org--name/snapshots/${older}/config.json`]: "{}",
    "models--gpt2/refs/main": commit,
    [`models--gpt2/snapshots/${commit}/config.json`]: "{}",
  });
  return { cache, environment: { HF_HUB_CACHE: cache } };
}

test("an existing path takes precedence over the cache", () => {
  const directory = temporaryDirectory({ "model.onnx": "" });
  expect(resolveModel(directory, {})).toBe(directory);
  expect(resolveModel(join(directory, "model.onnx"), {})).toBe(join(directory, "model.onnx"));
});

test("an id resolves to the snapshot of its main revision, or of the revision that it names", () => {
  const { cache, environment } = cacheWithModel();
  const snapshots = join(cache, "models--org--name", "snapshots");
  expect(resolveModel("org/name", environment)).toBe(join(snapshots, commit));
  expect(resolveModel("org/name@refs/pr/1", environment)).toBe(join(snapshots, older));
  expect(resolveModel(`org/name@${older}`, environment)).toBe(join(snapshots, older));
  expect(resolveModel("gpt2", environment)).toBe(join(cache, "models--gpt2", "snapshots", commit));
});

test("finds the cache where huggingface_hub does", () => {
  expect(hubCache({ HF_HUB_CACHE: "/a", HF_HOME: "/b" })).toBe("/a");
  expect(hubCache({ HUGGINGFACE_HUB_CACHE: "/a", HF_HOME: "/b" })).toBe("/a");
  expect(hubCache({ HF_HUB_CACHE: "/a", HUGGINGFACE_HUB_CACHE: "/b" })).toBe("/a");
  expect(hubCache({ HF_HOME: "/b" })).toBe("/b/hub");
  expect(hubCache({ XDG_CACHE_HOME: "/c" })).toBe("/c/huggingface/hub");
  expect(hubCache({ HF_HOME: "~/hf" })).toBe(join(homedir(), "hf", "hub"));
  expect(hubCache({})).toBe(join(homedir(), ".cache", "huggingface", "hub"));
});

test("for an id that is not in the cache, the error says where it was looked for and how to download it", () => {
  const { cache, environment } = cacheWithModel();
  const error = expectCode("RR_NOT_A_MODEL", () => resolveModel("org/other", environment));
  expect(error.message).toContain(join(cache, "models--org--other"));
  expect(error.message).toContain('Nothing is downloaded here: fetch it with "hf download org/other"');
  const tagged = expectCode("RR_NOT_A_MODEL", () => resolveModel("org/other@v2", environment));
  expect(tagged.message).toContain('"hf download org/other --revision v2"');
});

test.runIf(existsSync("/dev/null"))("refuses a device", () => {
  expectCode("RR_NOT_A_MODEL", () => resolveModel("/dev/null", {}));
});

describe("refuses", () => {
  test.each([
    "",
    "../org/name",
    "org/..",
    "org/../name",
    "/org/name",
    "org/name/more",
    "org//name",
    "org--name",
    "org/name@../../x",
    "org/name@/etc",
    "org/name@",
    "org\\name",
    ".hidden/name",
    "org/na\0me",
    "a".repeat(300),
  ])("the id %j", (id) => {
    const { environment } = cacheWithModel();
    expectCode("RR_NOT_A_MODEL", () => resolveModel(id, environment));
  });

  test.each(["no-such-branch", "0".repeat(40)])(
    "the revision %s, which the cache does not have",
    (revision) => {
      const { environment } = cacheWithModel();
      expectCode("RR_NOT_A_MODEL", () => resolveModel(`org/name@${revision}`, environment));
    },
  );

  test("a ref whose content is a path", () => {
    const cache = temporaryDirectory({
      "models--o--n/refs/main": "../../../secret",
      "models--o--n/snapshots/x": "",
      "secret/config.json": "{}",
    });
    expectCode("RR_NOT_A_MODEL", () => resolveModel("o/n", { HF_HUB_CACHE: cache }));
  });
});
