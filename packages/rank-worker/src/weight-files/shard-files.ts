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
  /** For files of one segment at a time. */
  readonly scratchFolder?: string | undefined;
  readonly cachedShard?: CachedShardPlace | undefined;
}

/** Where one session finds its weights, until it is open. */
interface SegmentPlace extends Disposable {
  readonly weights: SessionWeights;
  /** Whether they come from an entry of the cache that was there before. */
  readonly isCached: boolean;
}

/**
 * Where the weights of one rank come from, the best first, each falling back to the next:
 *
 * ```
 *  an entry of the cache ──▶ files of a new entry ──▶ files in the scratch folder ──▶ memory
 * ```
 *
 * What is wrong with the model is an error. What is wrong with the cache or the disk is logged, and done without.
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

  /** What prevented a new entry of the cache; undefined where there is one, or none was to be made. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /**
   * Fills the memory of the weights that the rank keeps. Before any segment: a damaged entry can be made again then.
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

  /** From now on weights are read from the model. */
  distrust(): void {
    this.#cached = undefined;
  }

  /** Makes what was written an entry of the cache. */
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

  /** Undefined where there is nothing to write, nowhere to write to, or no room there. */
  #scratch(index: number, initializers: Initializers): SegmentPlace | undefined {
    const { scratchFolder, log } = this.#options;
    if (scratchFolder === undefined || initializers.length === 0) return undefined;
    const folder = join(scratchFolder, `rank-${this.#weights.program.rank}-segment-${index}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      this.#weights.writeInitializers(folder, initializers);
      // Unlinked at once; what the session keeps mapped lives on without a name.
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

  /** Works on a new entry; where that cannot be written, there will be none. */
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
      // Windows keeps files that are mapped; what is in the scratch folder goes with it.
      this.#options.log.debug({ err: error, path }, "cannot remove files of weights");
    }
  }
}

function kept(folder: string, isCached: boolean): SegmentPlace {
  return { weights: { folder }, isCached, [Symbol.dispose]: () => {} };
}
