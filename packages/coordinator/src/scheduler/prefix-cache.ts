import { type CacheLimits, restorableTokens } from "@ringrank/rank-worker";
import type { ScheduledSequence } from "./scheduled-sequence.js";

/** Tokens at the beginning of a prompt that the ranks have in the cache of another sequence. */
export interface CachedPrefix {
  /** The other sequence, kept or running. */
  readonly from: number;
  readonly tokens: number;
}

type RunningSequence = Pick<ScheduledSequence, "id" | "prompt" | "mostEntered">;

/** Fewer tokens are not worth a copy. Prompts that have nothing else in common share a few. */
const fewestTokens = 16;

/**
 * The ended sequences whose caches the ranks keep. A prompt that begins with the same tokens as one of them, or as the
 * prompt of a running sequence, is only computed from the first other token on, as the next turn of a conversation. This
 * is the list; the scheduler has the ranks do what it says.
 */
export class PrefixCache {
  readonly #maxTokens: number;
  readonly #limits: CacheLimits;
  /** Tokens by sequence, the least recently used first. */
  readonly #kept = new Map<number, readonly number[]>();

  /** @param maxTokens the most tokens to keep, of all sequences together */
  constructor(maxTokens: number, limits: CacheLimits) {
    this.#maxTokens = maxTokens;
    this.#limits = limits;
  }

  /**
   * Adds an ended sequence, unless it is too short, too long, or another one has the same tokens.
   *
   * @returns the sequences to release in exchange; undefined if it was not added
   */
  add(sequence: number, tokens: readonly number[]): number[] | undefined {
    if (this.#limits.dependsOnMore || tokens.length < fewestTokens || tokens.length > this.#maxTokens)
      return undefined;
    const released: number[] = [];
    for (const [other, otherTokens] of this.#kept) {
      if (this.#restorable(otherTokens, tokens) === tokens.length) {
        this.use({ from: other, tokens: tokens.length });
        return undefined;
      }
      if (this.#restorable(tokens, otherTokens) === otherTokens.length) released.push(other);
    }
    for (const other of released) this.#kept.delete(other);
    this.#kept.set(sequence, tokens);
    for (const other of this.#surplus()) {
      this.#kept.delete(other);
      released.push(other);
    }
    return released;
  }

  /**
   * The longest beginning of a prompt that need not be computed. It leaves at least one token, whose logits are needed.
   *
   * @param running sequences that have a cache
   */
  find(prompt: readonly number[], running: Iterable<RunningSequence> = []): CachedPrefix | undefined {
    const wanted = prompt.slice(0, -1);
    let best: CachedPrefix | undefined;
    for (const [from, kept] of this.#kept) {
      const tokens = this.#restorable(kept, wanted);
      if (tokens >= (best?.tokens ?? fewestTokens)) best = { from, tokens };
    }
    for (const { id, prompt: its = [], mostEntered = 0 } of running) {
      const common = Math.min(commonLength(its, wanted), mostEntered);
      const tokens = restorableTokens(this.#limits, mostEntered, common);
      if (tokens > (best?.tokens ?? fewestTokens - 1)) best = { from: id, tokens };
    }
    return best;
  }

  /** Says that a prefix is used, so that its sequence, if it is a kept one, is released after the others. */
  use({ from }: CachedPrefix): void {
    const tokens = this.#kept.get(from);
    if (tokens === undefined) return;
    this.#kept.delete(from);
    this.#kept.set(from, tokens);
  }

  #restorable(kept: readonly number[], wanted: readonly number[]): number {
    return restorableTokens(this.#limits, kept.length, commonLength(kept, wanted));
  }

  /** The least recently used sequences, as many as exceed the limit. */
  *#surplus(): Iterable<number> {
    let tokens = 0;
    for (const kept of this.#kept.values()) tokens += kept.length;
    for (const [sequence, { length }] of this.#kept) {
      if (tokens <= this.#maxTokens) return;
      tokens -= length;
      yield sequence;
    }
  }
}

function commonLength(one: readonly number[], other: readonly number[]): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}
