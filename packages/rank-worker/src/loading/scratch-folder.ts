import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { bytesOfShard } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { makeLoadFolder, removeAbandonedLoads, removeIfPossible } from "./load-folder.js";

/** A place for scratch files. */
interface Place {
  readonly path: string;
  /** The most bytes there; default no limit. */
  readonly most?: number;
}

/**
 * The best first. Files in memory take memory, so the first is only for segments that are small compared with a model;
 * the page cache of a disk can be evicted.
 */
const usualPlaces: readonly Place[] = [{ path: "/dev/shm", most: 2 ** 30 }, { path: tmpdir() }];

/**
 * A private folder for the files from which sessions read their weights while a model loads, and which are removed
 * afterwards.
 *
 * Weights are passed to a session in files, not in memory, because ONNX Runtime maps files, while it copies bytes from
 * memory twice and fragments the heap: docs/design/loading.md has what `npm run bench` measured. Files in memory
 * (`/dev/shm`) are written faster than files on a disk. The folder belongs to the coordinator, because a rank's thread
 * may be terminated before it could clean up.
 */
export class ScratchFolder implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * First removes what processes left there that were killed while they loaded.
   *
   * @param bytes the total size of files that exist at the same time
   * @returns undefined if no place has room; weights are then passed in memory
   */
  static create(bytes: number, places: readonly Place[] = usualPlaces): ScratchFolder | undefined {
    for (const { path, most = Number.POSITIVE_INFINITY } of places) {
      try {
        removeAbandonedLoads(path);
        const { bavail, bsize } = statfsSync(path);
        if (bytes > most || bavail * bsize < bytes * 1.5) continue;
        return new ScratchFolder(makeLoadFolder(path));
      } catch {
        // Missing, or not accessible: the next place, or memory, works as well.
      }
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    removeIfPossible(this.path);
  }
}

/** The total size of the files of all ranks at one time: each rank has those of one segment. */
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
