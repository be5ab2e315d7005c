import { existsSync, lstatSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { removeAbandonedLoads } from "../loading/load-folder.js";
import { privateDirectory } from "./cache-directory.js";
import { manifestName, readManifest } from "./manifest.js";

/** One rank's quantized weights, or the plan for all ranks, in the cache. */
export interface CacheEntry {
  readonly path: string;
  /** Directory of the model's files; undefined if the entry is damaged. */
  readonly model: string | undefined;
  /** Bits of its quantized weights. */
  readonly bits: readonly number[];
  /** Undefined for a plan, and if the entry is damaged. */
  readonly rank: number | undefined;
  readonly worldSize: number | undefined;
  /** Size of its files; for a damaged entry, of everything in it. */
  readonly bytes: number;
  readonly usedAt: Date;
}

/** Removes entries, the least recently used first and never those in `kept`, until the total is at most `maxBytes`. */
export function makeRoom(root: string, maxBytes: number, kept: readonly string[]): void {
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
 * Lists the cache. A missing directory counts as empty.
 *
 * @throws RR_CACHE if the directory cannot be trusted
 */
export function listCache(directory: string): CacheEntry[] {
  return existsSync(directory) ? entriesOf(privateDirectory(directory)) : [];
}

/**
 * Removes every entry, and what killed loads left behind; running loads keep their files. Loaded models are not
 * disturbed.
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

/** Returns undefined if another process has removed it in the meantime. */
function describe(path: string): CacheEntry | undefined {
  try {
    try {
      // Checking each of its hundreds of files would take four times as long.
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
