import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOfShards } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { makeLoadFolder, removeAbandonedLoads, removeIfPossible } from "../loading/load-folder.js";
import type { CachedShardPlace } from "../protocol.js";
import { privateDirectory } from "./cache-directory.js";
import { makeRoom } from "./cache-entries.js";
import { checksumOf } from "./checksum.js";
import { bitsOf, modelOf } from "./quantized-program.js";
import { shardContents, shardKey } from "./shard-key.js";
import { commitEntry, StoredEntry } from "./stored-entry.js";

/**
 * The cache of one load: where its ranks find their quantized weights, or can store them.
 *
 * ```
 * <directory>/<key>/manifest.json            an entry: one rank's weights, in the form they are computed with
 *                   <segment>/<index>        an initializer of a segment
 *                   kept/<index>             a weight that the rank keeps in its own memory
 * <directory>/<key>/manifest.json            an entry: the plan for all ranks
 *                   plan
 * <directory>/ringrank-load-…/rank-<rank>/   an entry that a running load is writing
 * ```
 *
 * It belongs to the coordinator, because a rank's thread may be terminated before it could clean up.
 */
export class ShardCache implements Disposable {
  /** By rank. */
  readonly places: readonly CachedShardPlace[];
  /**
   * By rank: what identifies its entry, apart from the model's files. Another load of the same programs may reuse it.
   */
  readonly contents: readonly string[];
  /**
   * What prevents missing entries from being created, such as a read-only directory. Existing entries are still used.
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
    const bytes = (some: readonly RankProgram[]) =>
      some.reduce((sum, { weights }) => sum + bytesOfShards(weights), 0);
    if (bytes(programs) <= maxBytes) {
      const missing = programs.filter((_, rank) => !existsSync(entries[rank]!));
      try {
        // Scanning the whole cache takes as long as opening a few sessions.
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
   * Makes room for the entries that these programs will add, by removing the least recently used ones first.
   *
   * @param maxBytes the size limit of the directory; if the programs alone exceed it, nothing is added
   * @param contents of an earlier load of the same programs
   * @returns undefined if no weight is quantized: other programs load just as fast from the model, and would take four
   * times the space
   * @throws RR_CACHE if the directory cannot be trusted; the errors of node:fs
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

  /**
   * Stores the plan of these programs, if they are cached.
   *
   * @throws the errors of node:fs
   */
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
 * Reads what {@link ShardCache.keepPlan} has stored under a key. Removes a damaged entry.
 *
 * @returns undefined if there is none
 * @throws RR_CACHE if the directory cannot be trusted; an Error that says what is wrong with the entry
 */
export function readPlan(directory: string, key: string): Uint8Array | undefined {
  if (!existsSync(directory)) return undefined;
  const path = join(privateDirectory(directory), key);
  try {
    const entry = StoredEntry.open(path);
    if (entry === undefined) return undefined;
    const plan = new Uint8Array(entry.bytesOf("plan"));
    entry.read("plan", plan);
    return plan;
  } catch (error) {
    removeIfPossible(path);
    throw error;
  }
}
