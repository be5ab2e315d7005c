import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { allocate, bytesOf, elementCount } from "@ringrank/model/weights";
import { type Logger, pino } from "pino";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { tinyDecoder } from "../testing/tiny-decoder.js";
import type { Initializers } from "./initializers.js";
import { ProgramWeights } from "./program-weights.js";
import { ShardFiles } from "./shard-files.js";

const program = tinyDecoder({ heads: 2, worldSize: 1 })[0]!;
const index = program.segments.findIndex(({ initializers }) => initializers.length > 1);
const { initializers } = program.segments[index]!;

/** A logger, and its messages. */
function listener(): { log: Logger; messages: string[] } {
  const messages: string[] = [];
  const write = (line: string): void => void messages.push((JSON.parse(line) as { msg: string }).msg);
  return { log: pino({ level: "warn" }, { write }), messages };
}

interface Cache {
  readonly entry: string;
  readonly directory: string;
}

function newCache(): Cache {
  const directory = temporaryDirectory();
  return { directory, entry: join(directory, "entry") };
}

let loads = 0;

/** What the sessions of one load would read, and where it is from. */
function load({ entry, directory }: Cache, weights = new ProgramWeights(program, () => {})) {
  const { log, messages } = listener();
  const scratchFolder = temporaryDirectory();
  const cachedShard = { entry, staging: join(directory, `load-${loads++}`) };
  const files = new ShardFiles(weights, { log, scratchFolder, cachedShard });
  const bytes: Buffer[] = [];
  const isCached: boolean[] = [];
  for (const at of program.segments.keys()) {
    using place = files.segment(at);
    isCached.push(place.isCached);
    if (!("folder" in place.weights)) continue;
    for (const name of readdirSync(place.weights.folder))
      bytes.push(readFileSync(join(place.weights.folder, name)));
  }
  files.finish();
  return { bytes, messages, isCached: isCached.every(Boolean), bytesInMemory: weights.bytesInMemory };
}

/** The model's weights. */
const expected = program.segments.flatMap((segment) =>
  segment.initializers.map((names) =>
    Buffer.concat(names.map((name) => bytesOf(new ProgramWeights(program, () => {}).read(name)))),
  ),
);

describe("a cached shard", () => {
  test("is mapped by the next load, byte for byte, and counted as if it were read", () => {
    const cache = newCache();
    const first = load(cache);
    const second = load(cache);
    expect([first.isCached, second.isCached]).toEqual([false, true]);
    expect(first.bytes).toEqual(expected);
    expect(second.bytes).toEqual(expected);
    expect(second.bytesInMemory).toBe(first.bytesInMemory);
    expect([...first.messages, ...second.messages]).toEqual([]);
  });

  const file = join(String(index), "0");
  test.each<[string, (entry: string) => void]>([
    [
      "has a changed byte",
      (entry) => writeFileSync(join(entry, file), flipped(readFileSync(join(entry, file)))),
    ],
    ["is longer", (entry) => appendFileSync(join(entry, file), "x")],
    ["lacks its manifest", (entry) => renameSync(join(entry, "manifest.json"), join(entry, "gone"))],
    ["has an invalid manifest", (entry) => writeFileSync(join(entry, "manifest.json"), "{}")],
    [
      "has a link in place of a file",
      (entry) => {
        renameSync(join(entry, file), join(entry, "elsewhere"));
        symlinkSync(join(entry, "elsewhere"), join(entry, file));
      },
    ],
  ])("is created again if it %s", (_, damage) => {
    const cache = newCache();
    load(cache);
    damage(cache.entry);
    const again = load(cache);
    expect(again.isCached).toBe(false);
    expect(again.messages).toEqual(["a cached shard is damaged; it is made again"]);
    expect(again.bytes).toEqual(expected);
    expect(load(cache).isCached).toBe(true);
  });

  test("is written completely or not at all: on a full disk, the load continues without it", () => {
    class OnFullDisk extends ProgramWeights {
      override writeInitializers(
        folder: string,
        some: Initializers,
        onPiece?: (bytes: Uint8Array, file: number) => void,
      ): void {
        const untilFull = (bytes: Uint8Array, file: number): void => {
          if (some === initializers && file === 1)
            throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
          onPiece?.(bytes, file);
        };
        super.writeInitializers(folder, some, onPiece && untilFull);
      }
    }
    const cache = newCache();
    const { bytes, messages } = load(cache, new OnFullDisk(program, () => {}));
    expect(bytes).toEqual(expected);
    expect(messages).toEqual(["cannot cache this shard; the next load quantizes again"]);
    expect(existsSync(cache.entry)).toBe(false);
  });

  test("is the first one completed if two loads write it at the same time", () => {
    const cache = newCache();
    const { log, messages } = listener();
    const two = ["a", "b"].map((name) => {
      const weights = new ProgramWeights(program, () => {});
      const cachedShard = { entry: cache.entry, staging: join(cache.directory, name) };
      return new ShardFiles(weights, { log, cachedShard });
    });
    for (const at of program.segments.keys()) for (const files of two) files.segment(at);
    for (const files of two) files.finish();
    expect(messages).toEqual([]);
    expect(load(cache)).toMatchObject({ isCached: true, bytes: expected });
  });
});

/** Weights of which only the first file of a segment can be written. */
class Failing extends ProgramWeights {
  readonly #error: Error;

  constructor(error: Error) {
    super(program, () => {});
    this.#error = error;
  }

  override writeInitializers(folder: string, some: Initializers): void {
    super.writeInitializers(folder, some.slice(0, 1));
    throw this.#error;
  }
}

test.each(["files of a new entry", "scratch files"])(
  "a problem with the model is an error at once, not a warning about %s",
  (where) => {
    const { log, messages } = listener();
    const { directory, entry } = newCache();
    const cachedShard = where === "scratch files" ? undefined : { entry, staging: join(directory, "rank-0") };
    const weights = new Failing(new RingrankError("RR_FILE_FORMAT", "a tensor ends too early"));
    const files = new ShardFiles(weights, { log, scratchFolder: temporaryDirectory(), cachedShard });
    expect(() => files.segment(index)).toThrow("a tensor ends too early");
    expect(messages).toEqual([]);
  },
);

test.runIf(existsSync("/proc/self/fd"))("files of weights are closed, also if writing one fails", () => {
  const open = () => readdirSync("/proc/self/fd").length;
  const before = open();
  for (const weights of [new ProgramWeights(program, () => {}), new Failing(new Error("ENOSPC"))]) {
    const { log } = listener();
    using _place = new ShardFiles(weights, { log, scratchFolder: temporaryDirectory() }).segment(index);
  }
  expect(open()).toBe(before);
});

test("scratch files without room are removed, and weights go through memory", () => {
  const { log, messages } = listener();
  const scratchFolder = temporaryDirectory();
  const files = new ShardFiles(new Failing(new Error("ENOSPC: no space left on device")), {
    log,
    scratchFolder,
  });
  using place = files.segment(index);
  expect(messages).toEqual(["cannot write weights to files; this segment takes more memory"]);
  expect(readdirSync(scratchFolder)).toEqual([]);
  expect("externalData" in place.weights && place.weights.externalData.length).toBe(initializers.length);
});

describe("weights that the rank keeps", () => {
  const names = Object.keys(program.weights).slice(0, 4);
  const expectedBytes = names.map((name) => bytesOf(new ProgramWeights(program, () => {}).read(name)));

  /** The weights of one load, in memory that had other contents; the first two are read together. */
  function fill({ entry, directory }: Cache) {
    const weights = new ProgramWeights(program, () => {});
    const { log, messages } = listener();
    const cachedShard = { entry, staging: join(directory, `load-${loads++}`) };
    const files = new ShardFiles(weights, { log, cachedShard });
    const place = (name: string): TensorData => {
      const { weight, dims } = weights.shard(name);
      const bytes = new Uint8Array(64 + bytesOf(weights.read(name)).length).subarray(64).fill(0xaa);
      return allocate(weight.type, elementCount(dims), bytes);
    };
    const data = names.map(place);
    const places = [[0, 1], [2], [3]].map((some) => new Map(some.map((at) => [names[at]!, data[at]!])));
    files.fill(places);
    files.finish();
    return { bytes: data.map(bytesOf), messages, obstacle: files.obstacle };
  }

  test("are written to the entry from their place in memory, and read back to it", () => {
    const cache = newCache();
    const [first, second] = [fill(cache), fill(cache)];
    expect(readdirSync(join(cache.entry, "kept"))).toEqual(["0", "1", "2", "3"]);
    expect(first).toMatchObject({ bytes: expectedBytes, messages: [] });
    expect(second).toMatchObject({ bytes: expectedBytes, messages: [] });
  });

  test.each<[string, (file: string) => void]>([
    ["has a changed byte", (file) => writeFileSync(file, flipped(readFileSync(file)))],
    ["is short", (file) => writeFileSync(file, readFileSync(file).subarray(1))],
    ["is missing", (file) => rmSync(file)],
  ])("are read from the model and written again if the file of one %s", (_, damage) => {
    const cache = newCache();
    fill(cache);
    damage(join(cache.entry, "kept", "2"));
    expect(fill(cache)).toMatchObject({
      bytes: expectedBytes,
      messages: ["a cached shard is damaged; it is made again"],
    });
    expect(fill(cache)).toMatchObject({ bytes: expectedBytes, messages: [] });
  });

  test("are read even if none can be written, which is reported", () => {
    const { directory } = newCache();
    const cache = { entry: join(directory, "entry"), directory: join(directory, "not", "there") };
    expect(fill(cache)).toMatchObject({
      bytes: expectedBytes,
      messages: ["cannot cache this shard; the next load quantizes again"],
      obstacle: expect.stringContaining("ENOENT"),
    });
  });
});

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other[other.length - 1]! ^= 1;
  return other;
}
