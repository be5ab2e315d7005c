import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Weight } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { checksumOf } from "./checksum.js";
import { Entry } from "./entry.js";
import { clearCache, listCache, readPlan, ShardCache } from "./shard-cache.js";
import { shardKey } from "./shard-key.js";

/** A program of one 2 × 64 matrix of a file, of which a rank has a row. */
function program(file: string, { rank = 0, quantized = true } = {}): RankProgram {
  const stored = { kind: "file", file, offset: 0, storedAs: "bfloat16" } as const;
  const matrix = { dims: [2, 64] as const, transposed: false, source: stored };
  const weight: Weight = quantized
    ? { type: "uint8", dims: [2, 2, 16], source: { kind: "quantized", part: "values", bits: 4, matrix } }
    : { type: "float32", dims: [2, 64], source: stored };
  const inner = weight.dims.slice(1).map((dim) => [[0, dim] as const]);
  return {
    rank,
    worldSize: 2,
    entries: {},
    segments: [],
    weights: { w: { weight, selection: [[[rank, rank + 1]], ...inner], dims: [1, ...weight.dims.slice(1)] } },
    bytes: 1000,
  };
}

function modelFile(): string {
  return join(temporaryDirectory({ "model.safetensors": new Uint8Array(256) }), "model.safetensors");
}

/** An entry of 1000 bytes and a little, last used so many hours ago. */
function makeEntry(directory: string, key: string, hoursAgo: number): void {
  const entry = join(directory, key);
  mkdirSync(join(entry, "0"), { recursive: true });
  writeFileSync(join(entry, "0", "0"), new Uint8Array(1000));
  const manifest = { model: "/m", bits: [4], rank: 0, worldSize: 1, bytes: 1000, files: [] };
  writeFileSync(join(entry, "manifest.json"), JSON.stringify(manifest));
  const time = new Date(Date.now() - hoursAgo * 3_600_000);
  utimesSync(join(entry, "manifest.json"), time, time);
}

/** An entry of three bytes. */
function keepPlan(directory: string, name: string, maxBytes = 1e6): void {
  using cache = ShardCache.open([program(modelFile())], directory, maxBytes);
  cache!.keepPlan(name, new Uint8Array([1, 2, 3]));
}

const keysIn = (directory: string) => readdirSync(directory).filter((name) => name.length === 40);

const key = (letter: string): string => letter.repeat(40);

test("every rank has an entry of its own, and what a load writes is gone when it ends", () => {
  const directory = join(temporaryDirectory(), "cache");
  const file = modelFile();
  {
    using cache = ShardCache.open([program(file), program(file, { rank: 1 })], directory, 1e6);
    const [first, second] = cache!.places;
    expect(first!.entry).not.toBe(second!.entry);
    expect(readdirSync(directory)).toEqual([basename(dirname(first!.staging!))]);
  }
  expect(readdirSync(directory)).toEqual([]);
});

test("a load without quantized weights makes no cache", () => {
  const directory = join(temporaryDirectory(), "cache");
  expect(ShardCache.open([program(modelFile(), { quantized: false })], directory, 1e6)).toBeUndefined();
  expect(existsSync(directory)).toBe(false);
});

test("room is made by removing what was not used for the longest time", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  makeEntry(directory, key("b"), 3);
  makeEntry(directory, key("c"), 2);
  // With the 1000 bytes to come, two of three fit to the byte.
  using _cache = ShardCache.open([program(modelFile())], directory, 3000);
  expect(keysIn(directory)).toEqual([key("a"), key("c")]);
});

test("what was read lately is kept where room is made", () => {
  const directory = temporaryDirectory();
  keepPlan(directory, key("a"));
  const time = new Date(2020, 1, 1);
  utimesSync(join(directory, key("a"), "manifest.json"), time, time);
  makeEntry(directory, key("b"), 1);
  readPlan(directory, key("a"));
  using _cache = ShardCache.open([program(modelFile())], directory, 1500);
  expect(keysIn(directory)).toEqual([key("a")]);
});

test("what this load itself reads is not removed for the rest of it", () => {
  const directory = temporaryDirectory();
  const programs = [0, 1].map((rank) => program(modelFile(), { rank }));
  makeEntry(directory, shardKey(programs[0]!), 9);
  makeEntry(directory, key("a"), 1);
  using _cache = ShardCache.open(programs, directory, 2500);
  expect(keysIn(directory)).toEqual([shardKey(programs[0]!)]);
});

test("room is made for a plan, too", () => {
  const directory = temporaryDirectory();
  const own = program(modelFile());
  makeEntry(directory, shardKey(own), 1);
  makeEntry(directory, key("a"), 2);
  using cache = ShardCache.open([own], directory, 2002);
  cache!.keepPlan(key("b"), new Uint8Array([1, 2, 3]));
  expect(keysIn(directory)).toEqual([shardKey(own), key("b")].sort());
});

test("a model larger than the limit is not kept, and nothing is removed for it", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  using cache = ShardCache.open([program(modelFile())], directory, 999);
  expect(cache!.places[0]!.staging).toBeUndefined();
  expect(listCache(directory)).toHaveLength(1);
});

test("a plan is kept beside the weights, unless the model is not kept", () => {
  const directory = temporaryDirectory();
  keepPlan(directory, key("a"));
  keepPlan(directory, key("b"), 999);
  expect(readPlan(directory, key("a"))).toEqual(new Uint8Array([1, 2, 3]));
  expect(readPlan(directory, key("b"))).toBeUndefined();
  expect(listCache(directory)).toMatchObject([{ bits: [4], rank: undefined, worldSize: 1 }]);
});

test("a damaged plan is an error once, and gone then", () => {
  const directory = temporaryDirectory();
  using cache = ShardCache.open([program(modelFile())], directory, 1e6);
  cache!.keepPlan(key("a"), new Uint8Array([1, 2, 3]));
  writeFileSync(join(directory, key("a"), "plan"), new Uint8Array([1, 2, 4]));
  expect(() => readPlan(directory, key("a"))).toThrow("the checksum is another");
  expect(readPlan(directory, key("a"))).toBeUndefined();
});

test("a plan that lacks the zeros at its end is damaged, though they make no difference to its checksum", () => {
  const directory = temporaryDirectory();
  using cache = ShardCache.open([program(modelFile())], directory, 1e6);
  cache!.keepPlan(key("a"), new Uint8Array([1, 2, 3, 0]));
  writeFileSync(join(directory, key("a"), "plan"), new Uint8Array([1, 2, 3]));
  expect(() => readPlan(directory, key("a"))).toThrow("expected a file of 4 bytes, got 3");
});

test("an entry that is a link, or has a file that is one, is refused: its bytes are somebody else's to change", () => {
  const directory = temporaryDirectory();
  const elsewhere = temporaryDirectory();
  const entry = join(directory, key("a"));
  keepPlan(directory, key("a"));
  renameSync(join(entry, "plan"), join(elsewhere, "plan"));
  symlinkSync(join(elsewhere, "plan"), join(entry, "plan"));
  expect(() => Entry.open(entry)!.read("plan", new Uint8Array(3))).toThrow("ELOOP");
  renameSync(entry, join(elsewhere, "entry"));
  symlinkSync(join(elsewhere, "entry"), entry);
  expect(() => Entry.open(entry)).toThrow("expected a directory, not a link");
});

test("nor does a link lead to an entry's manifest, or to a folder of its files", () => {
  const directory = temporaryDirectory();
  const elsewhere = temporaryDirectory();
  const entry = join(directory, key("a"));
  makeEntry(directory, key("a"), 1);
  const files = [{ path: "0/0", bytes: 1000, checksum: checksumOf(new Uint8Array(1000)) }];
  const manifest = { model: "/m", bits: [4], worldSize: 1, bytes: 1000, files };
  writeFileSync(join(entry, "manifest.json"), JSON.stringify(manifest));
  Entry.open(entry)!.verify(() => true);
  renameSync(join(entry, "0"), join(elsewhere, "0"));
  symlinkSync(join(elsewhere, "0"), join(entry, "0"));
  expect(() => Entry.open(entry)!.verify(() => true)).toThrow("expected a directory, not a link");
  renameSync(join(entry, "manifest.json"), join(elsewhere, "manifest.json"));
  symlinkSync(join(elsewhere, "manifest.json"), join(entry, "manifest.json"));
  expect(() => Entry.open(entry)).toThrow("ELOOP");
});

test("a manifest that names files outside its entry is none", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  const files = [{ path: "../plan", bytes: 3, checksum: "" }];
  const manifest = { model: "/m", bits: [4], worldSize: 1, bytes: 3, files };
  writeFileSync(join(directory, key("a"), "manifest.json"), JSON.stringify(manifest));
  expect(() => Entry.open(join(directory, key("a")))).toThrow("expected a manifest");
});

test("clearing removes entries, whole and damaged, and says which", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  mkdirSync(join(directory, key("d")));
  writeFileSync(join(directory, "a note"), "");
  expect(clearCache(directory).map(({ model }) => model)).toEqual(["/m", undefined]);
  expect(readdirSync(directory)).toEqual(["a note"]);
});

test("clearing removes what killed loads left, and nothing of running ones", () => {
  const directory = temporaryDirectory();
  using cache = ShardCache.open([program(modelFile())], directory, 1e6);
  const running = dirname(cache!.places[0]!.staging!);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  mkdirSync(join(directory, `ringrank-load-${hostname()}-${pid}-killed`));
  clearCache(directory);
  expect(readdirSync(directory)).toEqual([basename(running)]);
});

test("the key changes with the file's header, size and time, the selection, and the precision", () => {
  const file = modelFile();
  const before = shardKey(program(file));
  expect(shardKey(program(file))).toBe(before);
  const keys = [before, shardKey(program(file, { rank: 1 })), shardKey(program(file, { quantized: false }))];
  const time = new Date(2020, 1, 1);
  const rewrite = (bytes: Uint8Array): void => {
    writeFileSync(file, bytes);
    utimesSync(file, time, time);
    keys.push(shardKey(program(file)));
  };
  rewrite(new Uint8Array(256));
  rewrite(new Uint8Array(256).fill(1, 0, 1));
  rewrite(new Uint8Array(257).fill(1, 0, 1));
  expect(new Set(keys).size).toBe(keys.length);
});

test("the key changes with every file of a stack, as of a model whose experts lie in several", () => {
  const files = [modelFile(), modelFile()];
  const parts = files.map((file) => ({ kind: "file", file, offset: 0, storedAs: "float32" }) as const);
  const source = { kind: "stack", parts } as const;
  const stacked: RankProgram = {
    ...program(files[0]!),
    weights: {
      w: {
        weight: { type: "float32", dims: [2, 4, 4], source },
        selection: [[[0, 2]], [[0, 4]], [[0, 4]]],
        dims: [2, 4, 4],
      },
    },
  };
  const before = shardKey(stacked);
  writeFileSync(files[1]!, new Uint8Array(256).fill(1));
  expect(shardKey(stacked)).not.toBe(before);
});

test("a file of the hub's cache is known by its blob, whatever its time", () => {
  const blob = key("e");
  const file = join(temporaryDirectory({ [`blobs/${blob}`]: new Uint8Array(256) }), "blobs", blob);
  const before = shardKey(program(file));
  utimesSync(file, new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(shardKey(program(file))).toBe(before);
});

test("a file of such a name elsewhere is known by its time as any other", () => {
  const file = join(temporaryDirectory({ [key("e")]: new Uint8Array(256) }), key("e"));
  const before = shardKey(program(file));
  utimesSync(file, new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(shardKey(program(file))).not.toBe(before);
});
