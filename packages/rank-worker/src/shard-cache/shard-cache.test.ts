import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { entryBytes, modelFile, program } from "../testing/cached-program.js";
import { clearCache, listCache } from "./cache-entries.js";
import { readPlan, ShardCache } from "./shard-cache.js";
import { shardKey } from "./shard-key.js";

/** An entry as large as those of the programs, and its manifest; last used this many hours ago. */
function makeEntry(directory: string, key: string, hoursAgo: number): void {
  const entry = join(directory, key);
  mkdirSync(join(entry, "0"), { recursive: true });
  writeFileSync(join(entry, "0", "0"), new Uint8Array(entryBytes));
  const manifest = { model: "/m", bits: [4], rank: 0, worldSize: 1, bytes: entryBytes, files: [] };
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

test("an earlier load's contents need not be computed again", () => {
  const own = program(modelFile());
  using cache = ShardCache.open([own], temporaryDirectory(), 1e6, ["known"]);
  expect(cache!.contents).toEqual(["known"]);
  expect(basename(cache!.places[0]!.entry)).toBe(shardKey(own, "known"));
});

test("a load without quantized weights creates no cache", () => {
  const directory = join(temporaryDirectory(), "cache");
  expect(ShardCache.open([program(modelFile(), { quantized: false })], directory, 1e6)).toBeUndefined();
  expect(existsSync(directory)).toBe(false);
});

test("makes room by removing the least recently used entries", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  makeEntry(directory, key("b"), 3);
  makeEntry(directory, key("c"), 2);
  // With the one to come, two of three fit exactly.
  using _cache = ShardCache.open([program(modelFile())], directory, 3 * entryBytes);
  expect(keysIn(directory)).toEqual([key("a"), key("c")]);
});

test("only makes room for entries that are missing", () => {
  const directory = temporaryDirectory();
  const programs = [0, 1].map((rank) => program(modelFile(), { rank }));
  makeEntry(directory, shardKey(programs[0]!), 1);
  makeEntry(directory, key("a"), 2);
  using _cache = ShardCache.open(programs, directory, 3 * entryBytes);
  expect(keysIn(directory)).toEqual([shardKey(programs[0]!), key("a")].sort());
});

test("a load that adds nothing removes nothing", () => {
  const directory = temporaryDirectory();
  const own = program(modelFile());
  makeEntry(directory, shardKey(own), 1);
  makeEntry(directory, key("a"), 2);
  using _cache = ShardCache.open([own], directory, entryBytes);
  expect(keysIn(directory)).toEqual([shardKey(own), key("a")].sort());
});

test("keeps recently read entries when making room", () => {
  const directory = temporaryDirectory();
  keepPlan(directory, key("a"));
  const time = new Date(2020, 1, 1);
  utimesSync(join(directory, key("a"), "manifest.json"), time, time);
  makeEntry(directory, key("b"), 1);
  readPlan(directory, key("a"));
  using _cache = ShardCache.open([program(modelFile())], directory, 1.5 * entryBytes);
  expect(keysIn(directory)).toEqual([key("a")]);
});

test("entries that this load reads are not removed for those that it adds", () => {
  const directory = temporaryDirectory();
  const programs = [0, 1].map((rank) => program(modelFile(), { rank }));
  makeEntry(directory, shardKey(programs[0]!), 9);
  makeEntry(directory, key("a"), 1);
  using _cache = ShardCache.open(programs, directory, 2.5 * entryBytes);
  expect(keysIn(directory)).toEqual([shardKey(programs[0]!)]);
});

test("makes room for a plan, too", () => {
  const directory = temporaryDirectory();
  const own = program(modelFile());
  makeEntry(directory, shardKey(own), 1);
  makeEntry(directory, key("a"), 2);
  using cache = ShardCache.open([own], directory, 2 * entryBytes + 2);
  cache!.keepPlan(key("b"), new Uint8Array([1, 2, 3]));
  expect(keysIn(directory)).toEqual([shardKey(own), key("b")].sort());
});

test("a plan takes no room from the weights for which it was made", () => {
  const directory = temporaryDirectory();
  const own = program(modelFile());
  makeEntry(directory, shardKey(own), 1);
  using cache = ShardCache.open([own], directory, entryBytes + 2);
  cache!.keepPlan(key("b"), new Uint8Array([1, 2, 3]));
  expect(keysIn(directory)).toEqual([shardKey(own), key("b")].sort());
});

test("a model as large as the limit is cached", () => {
  using cache = ShardCache.open([program(modelFile())], temporaryDirectory(), entryBytes);
  expect(cache!.places[0]!.staging).toBeDefined();
});

test("a matrix that stays bfloat16 takes two bytes of room for each element", () => {
  const { weights, ...own } = program(modelFile());
  const { weight, ...selected } = program(modelFile(), { quantized: false }).weights.w!;
  const gate = { ...selected, weight: { ...weight, type: "bfloat16" as const } };
  const maxBytes = entryBytes + 2 * 64;
  using cache = ShardCache.open([{ ...own, weights: { ...weights, gate } }], temporaryDirectory(), maxBytes);
  expect(cache!.places[0]!.staging).toBeDefined();
});

test("a model larger than the limit is not cached, and nothing is removed for it", () => {
  const directory = temporaryDirectory();
  makeEntry(directory, key("a"), 1);
  using cache = ShardCache.open([program(modelFile())], directory, entryBytes - 1);
  expect(cache!.places[0]!.staging).toBeUndefined();
  expect(listCache(directory)).toHaveLength(1);
});

test("a plan is stored next to the weights, unless the model is not cached", () => {
  const directory = temporaryDirectory();
  keepPlan(directory, key("a"));
  keepPlan(directory, key("b"), entryBytes - 1);
  expect(readPlan(directory, key("a"))).toEqual(new Uint8Array([1, 2, 3]));
  expect(readPlan(directory, key("b"))).toBeUndefined();
  expect(listCache(directory)).toMatchObject([{ bits: [4], rank: undefined, worldSize: 1 }]);
});

test("a plan's entry has its number of ranks", () => {
  const directory = temporaryDirectory();
  using cache = ShardCache.open(
    [0, 1].map((rank) => program(modelFile(), { rank })),
    directory,
    1e6,
  );
  cache!.keepPlan(key("a"), new Uint8Array([1, 2, 3]));
  expect(listCache(directory)).toMatchObject([{ rank: undefined, worldSize: 2, bytes: 3 }]);
});

test("a damaged plan is an error once, and is removed", () => {
  const directory = temporaryDirectory();
  using cache = ShardCache.open([program(modelFile())], directory, 1e6);
  cache!.keepPlan(key("a"), new Uint8Array([1, 2, 3]));
  writeFileSync(join(directory, key("a"), "plan"), new Uint8Array([1, 2, 4]));
  expect(() => readPlan(directory, key("a"))).toThrow("the checksum is another");
  expect(readPlan(directory, key("a"))).toBeUndefined();
});

test("clearing removes intact and damaged entries, and returns them", () => {
  const directory = temporaryDirectory({ "a note": "", "abc/a folder's": "", [key("f")]: "a file" });
  makeEntry(directory, key("a"), 1);
  mkdirSync(join(directory, key("d")));
  expect(clearCache(directory).map(({ model }) => model)).toEqual(["/m", undefined]);
  expect(readdirSync(directory)).toEqual(["a note", "abc", key("f")]);
});

test("the size of a damaged entry is what is on disk", () => {
  const directory = temporaryDirectory({ [`${key("d")}/0/0`]: new Uint8Array(1000) });
  expect(listCache(directory)).toMatchObject([{ model: undefined, bits: [], bytes: 1000 }]);
});

test("listing a cache that does not exist does not create it", () => {
  const directory = join(temporaryDirectory(), "cache");
  expect([listCache(directory), clearCache(directory), readPlan(directory, key("a"))]).toEqual([
    [],
    [],
    undefined,
  ]);
  expect(existsSync(directory)).toBe(false);
});

test("reads nothing from a cache that others may write to", () => {
  const directory = temporaryDirectory();
  keepPlan(directory, key("a"));
  chmodSync(directory, 0o770);
  expectCode("RR_CACHE", () => listCache(directory));
  expectCode("RR_CACHE", () => readPlan(directory, key("a")));
});

/** The remains of a killed load. */
function makeAbandoned(directory: string): void {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  mkdirSync(join(directory, `ringrank-load-${hostname()}-${pid}-killed`));
}

test.each(["clearing", "the next load"])(
  "%s removes the remains of killed loads, but nothing of running ones",
  (by) => {
    const directory = temporaryDirectory();
    using cache = ShardCache.open([program(modelFile())], directory, 1e6);
    makeAbandoned(directory);
    if (by === "clearing") clearCache(directory);
    using next = by === "clearing" ? undefined : ShardCache.open([program(modelFile())], directory, 1e6);
    const running = [cache, next].flatMap((load) =>
      load === undefined ? [] : basename(dirname(load.places[0]!.staging!)),
    );
    expect(readdirSync(directory).sort()).toEqual(running.sort());
  },
);
