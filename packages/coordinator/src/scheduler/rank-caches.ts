import type { RestoredSequence, StepRequest, StepSource } from "@ringrank/rank-worker";
import type { CachedPrefix, PrefixCache } from "./prefix-cache.js";
import type { ScheduledSequence } from "./scheduled-sequence.js";

/** A sequence that a step extends. */
interface ExtendedSequence {
  readonly sequence: ScheduledSequence;
  /** What it begins with, if it has no cache yet. */
  readonly prefix: CachedPrefix | undefined;
}

/** What a step does to caches before it computes its rows. */
type CacheChanges = Pick<StepRequest, "keep" | "close" | "restore" | "encode">;

/** The sequences' KV caches on the ranks: which there are, and what the next step changes about them. */
export class RankCaches {
  readonly #prefixCache: PrefixCache | undefined;
  /** Sequences that have a cache. */
  readonly #cached = new Set<ScheduledSequence>();
  /** Ended sequences that a step on its way may still extend, so that their tokens are not known yet. */
  readonly #leaving = new Set<ScheduledSequence>();
  /** Ended sequences whose cache the ranks are about to keep. */
  readonly #toKeep: number[] = [];
  /** Ended sequences whose cache the ranks still hold. */
  readonly #toClose: number[] = [];

  constructor(prefixCache: PrefixCache | undefined) {
    this.#prefixCache = prefixCache;
  }

  /** Whether a step is needed, even one without rows. */
  get hasChanges(): boolean {
    return this.#toKeep.length + this.#toClose.length > 0;
  }

  /** The tokens in caches that a sequence without one may begin with. */
  prefixOf(sequence: ScheduledSequence): CachedPrefix | undefined {
    if (sequence.prompt === undefined || this.#cached.has(sequence)) return undefined;
    return this.#prefixCache?.find(sequence.prompt, this.#cached);
  }

  /** The source that must be encoded for a sequence without a cache. */
  sourceOf(sequence: ScheduledSequence): StepSource | undefined {
    const { id, source } = sequence;
    return source === undefined || this.#cached.has(sequence) ? undefined : { sequence: id, ids: source };
  }

  /** Notes that a sequence has ended. */
  leave(sequence: ScheduledSequence): void {
    if (this.#cached.delete(sequence)) this.#leaving.add(sequence);
  }

  /** Decides about the caches of ended sequences that no step on its way extends. */
  settle(isUnderWay: (sequence: ScheduledSequence) => boolean): void {
    for (const sequence of this.#leaving) {
      if (isUnderWay(sequence)) continue;
      this.#leaving.delete(sequence);
      this.#keepOrClose(sequence);
    }
  }

  /** What a step that is about to be sent changes, and that its sequences have caches from now on. */
  changesFor(rows: readonly ExtendedSequence[]): CacheChanges {
    const encode = rows.flatMap(({ sequence }) => this.sourceOf(sequence) ?? []);
    const restore: RestoredSequence[] = [];
    for (const { sequence, prefix } of rows) {
      this.#cached.add(sequence);
      if (prefix === undefined) continue;
      this.#prefixCache?.use(prefix);
      restore.push({ sequence: sequence.id, ...prefix });
    }
    const keep = this.#toKeep.splice(0);
    return {
      ...(keep.length > 0 && { keep }),
      close: this.#toClose.splice(0),
      ...(restore.length > 0 && { restore }),
      ...(encode.length > 0 && { encode }),
    };
  }

  #keepOrClose({ id, entered }: ScheduledSequence): void {
    const released = entered && this.#prefixCache?.add(id, entered);
    if (released === undefined) this.#toClose.push(id);
    else {
      this.#toKeep.push(id);
      this.#toClose.push(...released);
    }
  }
}
