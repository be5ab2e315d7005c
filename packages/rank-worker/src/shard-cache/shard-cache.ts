import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RankProgram } from "@ringrank/policy";
import type { CachedShardPlace } from "../protocol.js";
import { makeLoadFolder, removeAbandonedLoads, removeIfPossible } from "../weight-files/load-folder.js";
import { privateDirectory } from "./cache-directory.js";
import { checksumOf } from "./checksum.js";
import { commitEntry, Entry } from "./entry.js";
import { manifestName, readManifest } from "./manifest.js";
import { bitsOf, modelOf } from "./quantized-program.js";
import { shardContents, shardKey } from "./shard-key.js";

/** One rank's quantized weights, or the plan of all ranks, as the cache has them. */
export interface CacheEntry {
  readonly path: string;
  /** Directory of the model's files; undefined where the entry is damaged. */
  readonly model: string | undefined;
  /** Bits of its quantized weights. */
  readonly bits: readonly number[];
  /** Undefined for a plan, and where the entry is damaged. */
  readonly rank: number | undefined;
  readonly worldSize: number | undefined;
  /** Of its files; of a damaged one, of all that is there. */
  readonly bytes: number;
  readonly usedAt: Date;
}

/**
 * The cache of one load: where its ranks find their quantized weights, or may put them.
 *
 * ```
 * <directory>/<key>/manifest.json            an entry: one rank's weights, as they are computed with
 *                   <segment>/<index>        an initializer of a segment
 *                   kept/<index>             a weight that the rank keeps in its own memory
 * <directory>/<key>/manifest.json            an entry: what was planned for all ranks
 *                   plan
 * <directory>/ringrank-load-…/rank-<rank>/   an entry that a running load writes
 * ```
 *
 * It belongs to the coordinator: a rank's thread may be ended before it could clean up.
 */
export class ShardCache implements Disposable {
  /** By rank. */
  readonly places: readonly CachedShardPlace[];
  /** By rank: what its entry is known by, beside the model's files. Another load of the same programs may have it. */
  readonly contents: readonly string[];
  /**
   * What prevents entries that are missing from being made, as in a directory that may only be read: those that are
   * there are used all the same.
   */
  readonly obstacle: string | undefined;
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #programs: readonly RankProgram[];
  readonly #staging: string | undefined;

  private constructor(
    programs: readonly RankProgram[],
    contents: readonly string[],
    root: string,
    maxBytes: number,
  ) {
    const entries = programs.map((program, rank) => join(root, shardKey(program, contents[rank]!)));
    const bytes = (some: readonly RankProgram[]) => some.reduce((sum, program) => sum + program.bytes, 0);
    if (bytes(programs) <= maxBytes) {
      const missing = programs.filter((_, rank) => !existsSync(entries[rank]!));
      try {
        // To look through the whole cache takes as long as some sessions.
        if (missing.length > 0) makeRoom(root, maxBytes - bytes(missing), entries);
        this.#staging = makeLoadFolder(root);
      } catch (error) {
        if (missing.length > 0) this.obstacle = (error as Error).message;
      }
    }
    this.contents = contents;
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#programs = programs;
    this.places = entries.map((entry, rank) => ({
      entry,
      staging: this.#staging === undefined ? undefined : join(this.#staging, `rank-${rank}`),
    }));
  }

  /**
   * Makes room for what these programs will add: entries not used for the longest time go first.
   *
   * @param maxBytes what the directory may hold; where the programs alone take more, nothing is added
   * @param contents of an earlier load of the same programs
   * @returns undefined where no weight is quantized: those of other programs are as soon read from the model, and
   * take four times the space
   * @throws RR_CACHE where the directory cannot be trusted; the errors of node:fs
   */
  static open(
    programs: readonly RankProgram[],
    directory: string,
    maxBytes: number,
    contents?: readonly string[],
  ): ShardCache | undefined {
    if (bitsOf(...programs).length === 0) return undefined;
    const root = privateDirectory(directory);
    removeAbandonedLoads(root);
    return new ShardCache(programs, contents ?? programs.map(shardContents), root, maxBytes);
  }

  /** Keeps what was planned for these programs; where they are not kept, nothing. @throws the errors of node:fs */
  keepPlan(key: string, plan: Uint8Array): void {
    if (this.#staging === undefined) return;
    const path = join(this.#root, key);
    makeRoom(this.#root, this.#maxBytes - plan.length, [path, ...this.places.map(({ entry }) => entry)]);
    const folder = join(this.#staging, "plan");
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, "plan"), plan, { mode: 0o600 });
    commitEntry(folder, path, {
      model: modelOf(this.#programs[0]!),
      bits: bitsOf(...this.#programs),
      worldSize: this.#programs.length,
      bytes: plan.length,
      files: [{ path: "plan", bytes: plan.length, checksum: checksumOf(plan) }],
    });
  }

  [Symbol.dispose](): void {
    if (this.#staging !== undefined) removeIfPossible(this.#staging);
  }
}

/**
 * What {@link ShardCache.keepPlan} has kept under a key. A damaged entry is removed.
 *
 * @returns undefined where there is none
 * @throws RR_CACHE where the directory cannot be trusted; an Error that says what is wrong with the entry
 */
export function readPlan(directory: string, key: string): Uint8Array | undefined {
  if (!existsSync(directory)) return undefined;
  const path = join(privateDirectory(directory), key);
  try {
    const entry = Entry.open(path);
    if (entry === undefined) return undefined;
    const plan = new Uint8Array(entry.bytesOf("plan"));
    entry.read("plan", plan);
    return plan;
  } catch (error) {
    removeIfPossible(path);
    throw error;
  }
}

/** Removes entries, the longest unused first and never those in `kept`, until all take at most `maxBytes`. */
function makeRoom(root: string, maxBytes: number, kept: readonly string[]): void {
  const entries = entriesOf(root);
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of entries.sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime())) {
    if (bytes <= maxBytes) return;
    if (kept.includes(entry.path)) continue;
    rmSync(entry.path, { recursive: true, force: true });
    bytes -= entry.bytes;
  }
}

/**
 * What the cache holds. A directory that is not there holds nothing.
 *
 * @throws RR_CACHE where the directory cannot be trusted
 */
export function listCache(directory: string): CacheEntry[] {
  return existsSync(directory) ? entriesOf(privateDirectory(directory)) : [];
}

/**
 * Removes every entry, and what killed loads left; running loads keep theirs. Models that are loaded are not disturbed.
 *
 * @returns the entries that were removed
 */
export function clearCache(directory: string): CacheEntry[] {
  const entries = listCache(directory);
  for (const { path } of entries) rmSync(path, { recursive: true, force: true });
  if (existsSync(directory)) removeAbandonedLoads(directory);
  return entries;
}

function entriesOf(root: string): CacheEntry[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((found) => found.isDirectory() && /^[0-9a-f]{40}$/.test(found.name))
    .flatMap(({ name }) => describe(join(root, name)) ?? []);
}

/** Undefined where another process has removed it meanwhile. */
function describe(path: string): CacheEntry | undefined {
  try {
    try {
      // To look at each of its files, which are hundreds, takes four times as long.
      const { model, bits, rank, worldSize, bytes } = readManifest(path);
      return { path, model, bits, rank, worldSize, bytes, usedAt: statSync(join(path, manifestName)).mtime };
    } catch {
      const { mtime: usedAt } = statSync(path);
      const bytes = bytesIn(path);
      return { path, model: undefined, bits: [], rank: undefined, worldSize: undefined, bytes, usedAt };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function bytesIn(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, found) => {
    const path = join(directory, found.name);
    return sum + (found.isDirectory() ? bytesIn(path) : lstatSync(path).size);
  }, 0);
}
