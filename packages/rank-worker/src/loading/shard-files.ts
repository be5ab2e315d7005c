import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isRingrankError } from "@ringrank/errors";
import { bytesOf } from "@ringrank/model/weights";
import type { RankLog } from "../logging.js";
import type { CachedShardPlace } from "../protocol.js";
import type { SessionWeights } from "../sessions/session-options.js";
import { CachedShard } from "../shard-cache/cached-shard.js";
import { ShardWriter } from "../shard-cache/shard-writer.js";
import type { Initializers } from "./initializers.js";
import type { WeightPlaces } from "./kept-weights.js";
import type { ProgramWeights } from "./program-weights.js";

interface ShardFilesOptions {
  readonly log: RankLog;
  /** For the files of one segment at a time. */
  readonly scratchFolder?: string | undefined;
  readonly cachedShard?: CachedShardPlace | undefined;
}

/** Where a session finds its weights, until it is open. */
interface SegmentPlace extends Disposable {
  readonly weights: SessionWeights;
  /** Whether they come from an existing entry of the cache. */
  readonly isCached: boolean;
}

/**
 * The sources of one rank's weights, the best first; each falls back to the next:
 *
 * ```
 *  an entry of the cache ──▶ files of a new entry ──▶ files in the scratch folder ──▶ memory
 * ```
 *
 * A problem with the model is an error. A problem with the cache or the disk is logged, and loading continues without
 * it.
 */
export class ShardFiles {
  readonly #weights: ProgramWeights;
  readonly #options: ShardFilesOptions;
  #cached: CachedShard | undefined;
  #writer: ShardWriter | undefined;
  #obstacle: string | undefined;

  constructor(weights: ProgramWeights, options: ShardFilesOptions) {
    this.#weights = weights;
    this.#options = options;
    const { cachedShard: place } = options;
    if (place === undefined) return;
    try {
      this.#cached = CachedShard.open(place.entry);
      if (this.#cached === undefined) this.#makeEntry(place);
    } catch (error) {
      this.#makeAgain(place, error);
    }
  }

  /** What prevented a new entry of the cache; undefined if there is one, or none was to be created. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /**
   * Fills the memory of the weights that the rank holds. Must be called before any segment is loaded, when a damaged
   * entry can still be replaced.
   */
  fill(places: readonly WeightPlaces[]): void {
    try {
      if (this.#cached !== undefined) {
        this.#fillFrom(this.#cached, places);
        return;
      }
    } catch (error) {
      this.#makeAgain(this.#options.cachedShard!, error);
    }
    this.#writing((writer) => writer?.fill(places));
    if (this.#writer !== undefined) return;
    for (const some of places) this.#weights.readInto(some);
  }

  segment(index: number): SegmentPlace {
    const { initializers } = this.#weights.program.segments[index]!;
    if (this.#cached !== undefined) {
      for (const name of initializers.flat()) this.#weights.count(name);
      return kept(this.#cached.segment(index), true);
    }
    const folder = this.#writing((writer) => writer?.segment(index, initializers));
    if (folder !== undefined) return kept(folder, false);
    return this.#scratch(index, initializers) ?? this.#memory(initializers);
  }

  /** From now on, weights are read from the model. */
  distrust(): void {
    this.#cached = undefined;
  }

  /** Turns what has been written into an entry of the cache. */
  finish(): void {
    this.#writing((writer) => writer?.commit(this.#options.cachedShard!.entry));
  }

  #fillFrom(cached: CachedShard, places: readonly WeightPlaces[]): void {
    for (const [index, [name, data]] of places.flatMap((some) => [...some]).entries()) {
      cached.readKept(index, bytesOf(data));
      this.#weights.count(name);
    }
  }

  #makeAgain(place: CachedShardPlace, error: unknown): void {
    this.#options.log.warn({ err: error }, "a cached shard is damaged; it is made again");
    this.#cached = undefined;
    this.#discard(place.entry);
    this.#makeEntry(place);
  }

  #makeEntry({ staging }: CachedShardPlace): void {
    if (staging === undefined) return;
    this.#writer = this.#writing(() => new ShardWriter(this.#weights, staging));
  }

  /** Returns undefined if there is nothing to write, nowhere to write to, or no room there. */
  #scratch(index: number, initializers: Initializers): SegmentPlace | undefined {
    const { scratchFolder, log } = this.#options;
    if (scratchFolder === undefined || initializers.length === 0) return undefined;
    const folder = join(scratchFolder, `rank-${this.#weights.program.rank}-segment-${index}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      this.#weights.writeInitializers(folder, initializers);
      // Unlinked at once; files that the session keeps mapped live on without a name.
      return { weights: { folder }, isCached: false, [Symbol.dispose]: () => this.#discard(folder) };
    } catch (error) {
      if (isRingrankError(error)) throw error;
      log.warn({ err: error, folder }, "cannot write weights to files; this segment takes more memory");
      this.#discard(folder);
      return undefined;
    }
  }

  #memory(initializers: Initializers): SegmentPlace {
    const externalData = this.#weights
      .readInitializers(initializers)
      .map((data, at) => ({ path: String(at), data }));
    return { weights: { externalData }, isCached: false, [Symbol.dispose]: () => {} };
  }

  /** Works on a new entry; if that cannot be written, there will be none. */
  #writing<T>(work: (writer: ShardWriter | undefined) => T): T | undefined {
    try {
      return work(this.#writer);
    } catch (error) {
      if (isRingrankError(error)) throw error;
      this.#options.log.warn({ err: error }, "cannot cache this shard; the next load quantizes again");
      this.#obstacle = (error as Error).message;
      this.#writer = undefined;
      return undefined;
    }
  }

  #discard(path: string): void {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      // Windows does not remove mapped files; those in the scratch folder are removed with it.
      this.#options.log.debug({ err: error, path }, "cannot remove files of weights");
    }
  }
}

function kept(folder: string, isCached: boolean): SegmentPlace {
  return { weights: { folder }, isCached, [Symbol.dispose]: () => {} };
}
