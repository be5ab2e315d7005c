import { mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { zeroTensors } from "../../../../test/support/safetensors.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { checkPayload, openCheckpoint } from "./checkpoint.js";

const shakespeare = fileURLToPath(new URL("../../../cli/models/shakespeare-llama", import.meta.url));

const index = (weightMap: object) => JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap });

/** A model in two files, with `changes` replacing or adding files. */
function indexedModel(changes: Record<string, string | Uint8Array> = {}): string {
  return temporaryDirectory({
    "config.json": '{"model_type": "llama"}',
    "model-1.safetensors": zeroTensors({ a: [2, 3], b: [4] }),
    "model-2.safetensors": zeroTensors({ c: [5] }),
    "model.safetensors.index.json": index({
      a: "model-1.safetensors",
      b: "model-1.safetensors",
      c: "model-2.safetensors",
    }),
    ...changes,
  });
}

test("the embedded model has every tensor of its one file", () => {
  const checkpoint = openCheckpoint(shakespeare);
  checkPayload(checkpoint);
  expect(checkpoint.config.model_type).toBe("llama");
  expect(checkpoint.tensors?.size).toBe(3 + 6 * 9);
  expect(checkpoint.tensors?.get("lm_head.weight")).toMatchObject({ dtype: "BF16", dims: [2048, 256] });
  expect(checkpoint.files.map(({ size }) => size)).toEqual([11547128]);
});

test("an indexed model has the tensors of all its files", () => {
  const directory = indexedModel();
  const { tensors, files } = openCheckpoint(directory);
  expect([...tensors!.keys()].sort()).toEqual(["a", "b", "c"]);
  expect(tensors!.get("c")?.file).toBe(join(directory, "model-2.safetensors"));
  expect(files).toHaveLength(2);
});

test("a config alone can be opened; requiring its weights fails, saying what is missing", () => {
  const checkpoint = openCheckpoint(temporaryDirectory({ "config.json": "{}" }));
  expect(checkpoint.tensors).toBeUndefined();
  expectCode("RR_MISSING_FILE", () => checkPayload(checkpoint));
});

test("opens a snapshot of the hub's cache, whose files are links to blobs", () => {
  const repository = join(
    temporaryDirectory({
      "models--o--n/blobs/c": "{}",
      "models--o--n/blobs/i": index({ a: "model-1.safetensors" }),
      "models--o--n/blobs/w": zeroTensors({ a: [1] }),
    }),
    "models--o--n",
  );
  const snapshot = join(repository, "snapshots", "0".repeat(40));
  mkdirSync(snapshot, { recursive: true });
  symlinkSync("../../blobs/c", join(snapshot, "config.json"));
  symlinkSync("../../blobs/i", join(snapshot, "model.safetensors.index.json"));
  symlinkSync("../../blobs/w", join(snapshot, "model-1.safetensors"));
  const checkpoint = openCheckpoint(snapshot);
  checkPayload(checkpoint);
  expect(checkpoint.tensors?.get("a")?.file).toBe(join(repository, "blobs", "w"));
});

describe("refuses", () => {
  test("a directory without config.json, and a path that is not there", () => {
    expectCode("RR_NOT_A_MODEL", () => openCheckpoint(temporaryDirectory({ "notes.txt": "" })));
    expectCode("RR_NOT_A_MODEL", () => openCheckpoint("no/such/directory"));
  });

  test("a config that is not an object", () => {
    expectCode("RR_FILE_FORMAT", () => openCheckpoint(temporaryDirectory({ "config.json": "[]" })));
  });

  test("an index that names a missing file", () => {
    const directory = indexedModel({ "model.safetensors.index.json": index({ a: "model-3.safetensors" }) });
    const error = expectCode("RR_MISSING_FILE", () => openCheckpoint(directory));
    expect(error.message).toContain("model-3.safetensors");
  });

  test("an index that names a file outside the model", () => {
    const directory = indexedModel({ "model.safetensors.index.json": index({ a: "../../etc/passwd" }) });
    expectCode("RR_PATH", () => openCheckpoint(directory));
  });

  test("an index that names a tensor its file does not have", () => {
    const directory = indexedModel({ "model.safetensors.index.json": index({ z: "model-1.safetensors" }) });
    expect(expectCode("RR_FILE_FORMAT", () => openCheckpoint(directory)).message).toContain('"z"');
  });

  test("a tensor in two files", () => {
    const directory = indexedModel({ "model-2.safetensors": zeroTensors({ a: [2, 3], c: [5] }) });
    const { message } = expectCode("RR_FILE_FORMAT", () => openCheckpoint(directory));
    expect(message).toMatch(
      /"a" is in .*model-1\.safetensors and in .*model-2\.safetensors\. If .*download it again/,
    );
  });

  test.each([
    "{}",
    '{"weight_map": []}',
    '{"weight_map": {"a": 1}}',
    '{"weight_map": {"a": "model-1.safetensors", "a": "model-2.safetensors"}}',
  ])("the index %s", (text) => {
    expectCode("RR_FILE_FORMAT", () =>
      openCheckpoint(indexedModel({ "model.safetensors.index.json": text })),
    );
  });
});

describe("a truncated payload", () => {
  test("can be planned for, but not loaded", () => {
    const directory = indexedModel();
    truncateSync(join(directory, "model-1.safetensors"), 200);
    const checkpoint = openCheckpoint(directory);
    expect(checkpoint.tensors?.size).toBe(3);
    expect(expectCode("RR_FILE_FORMAT", () => checkPayload(checkpoint)).message).toContain(
      "model-1.safetensors",
    );
  });

  test("is refused as well if it is longer than its header says", () => {
    const bytes = Buffer.concat([zeroTensors({ c: [5] }), new Uint8Array(1)]);
    const checkpoint = openCheckpoint(indexedModel({ "model-2.safetensors": bytes }));
    expectCode("RR_FILE_FORMAT", () => checkPayload(checkpoint));
  });

  test("is noticed if the file was changed after it was opened", () => {
    const directory = indexedModel();
    const checkpoint = openCheckpoint(directory);
    checkPayload(checkpoint);
    utimesSync(join(directory, "model-2.safetensors"), 1, 1);
    expectCode("RR_FILE_FORMAT", () => checkPayload(checkpoint));
  });
});

test("returns config.json unchanged", () => {
  const { config } = openCheckpoint(shakespeare);
  expect(config).toEqual(JSON.parse(readFileSync(join(shakespeare, "config.json"), "utf8")));
});
