import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { RankProgram } from "@ringrank/policy";
import { makeLoadFolder, removeAbandonedLoads, removeIfPossible } from "./load-folder.js";
import { bytesOfShard } from "./program-weights.js";

/** Where scratch files may lie, the best place first. */
interface Place {
  readonly path: string;
  /** Most bytes there; default no limit. */
  readonly most?: number;
}

/** Files in memory take memory, so there only segments that are small beside a model; a page cache can be let go of. */
const usualPlaces: readonly Place[] = [{ path: "/dev/shm", most: 2 ** 30 }, { path: tmpdir() }];

/**
 * A private folder for the files that sessions read their weights from while a model loads, and that are gone
 * afterwards.
 *
 * Weights go to a session through files and not through memory, because ONNX Runtime maps files, where it copies bytes
 * from memory twice and leaves the heap in pieces: docs/design/loading.md has what `npm run bench` measured. Files in
 * memory (`/dev/shm`) are written faster than those on a disk.
 *
 * It belongs to the coordinator: a rank's thread may be ended before it could clean up.
 */
export class ScratchFolder implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * First removes what processes left there that were killed while they loaded.
   *
   * @param bytes what the files may take at one time
   * @returns undefined where no place has the room: then weights go through memory
   */
  static create(bytes: number, places: readonly Place[] = usualPlaces): ScratchFolder | undefined {
    for (const { path, most = Number.POSITIVE_INFINITY } of places) {
      try {
        accessSync(path, constants.W_OK);
        removeAbandonedLoads(path);
        const { bavail, bsize } = statfsSync(path);
        if (bytes > most || bavail * bsize < bytes * 1.5) continue;
        return new ScratchFolder(makeLoadFolder(path));
      } catch {
        // Not there, or not for us: the next place, or memory, does as well.
      }
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    removeIfPossible(this.path);
  }
}

/** What the files of all ranks may take at one time: each has those of one segment. */
export function scratchBytes(programs: readonly RankProgram[]): number {
  const largest = programs.map(({ segments, weights }) =>
    Math.max(
      0,
      ...segments.map(({ initializers }) =>
        initializers.flat().reduce((bytes, name) => bytes + bytesOfShard(weights[name]!), 0),
      ),
    ),
  );
  return largest.reduce((sum, bytes) => sum + bytes, 0);
}
