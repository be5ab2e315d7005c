import { RingrankError } from "@ringrank/errors";
import type { GroupHandle } from "./group.js";
import type { GroupMemory } from "./group-memory.js";
import { isPoisoned } from "./poison.js";
import { SpinLimit } from "./spin.js";

/**
 * Publishing rounds and waiting for those of others.
 *
 * A rank that waits looks at the peer's counter for a while, then sleeps on its address. It announces the sleep in
 * `sleepers` before it looks a last time, and a publisher looks at `sleepers` after it has counted up, so one of
 * the two sees the other. A poison that falls between the last look and the sleep is seen at the sleep's end,
 * at most {@link longestSleepMs} later.
 *
 * A wait expires when the rank at its end has not moved for `stepTimeoutMs`. The end is not always the peer: if
 * 0 waits for 1 and 1 for 2, it is 2 that has to move, and 2 that is named. A rank that has not joined yet gets
 * {@link longestStartMs} at least.
 */
export class Rounds {
  readonly rank: number;
  readonly worldSize: number;
  /** The collective in progress, for messages. */
  during = "a collective";
  readonly #memory: GroupMemory;
  readonly #words: Int32Array;
  readonly #spins: SpinLimit;
  readonly #stepTimeoutMs: number;
  readonly #measureWaits: boolean;
  /** Milliseconds in {@link wait}, where they are measured. */
  waitedMs = 0;
  #current: number;

  constructor(memory: GroupMemory, handle: GroupHandle, rank: number, measureWaits = false) {
    this.rank = rank;
    this.worldSize = handle.worldSize;
    this.#memory = memory;
    this.#words = memory.words;
    this.#spins = new SpinLimit(handle.spins);
    this.#stepTimeoutMs = handle.stepTimeoutMs;
    this.#measureWaits = measureWaits;
    this.#current = Atomics.load(memory.words, memory.layout.published(rank));
    // Whoever has waited for the rank to join starts to count anew.
    this.progress();
  }

  /** The last round that this rank has published. A 32-bit counter that wraps. */
  get current(): number {
    return this.#current;
  }

  get next(): number {
    return (this.#current + 1) | 0;
  }

  publish(): void {
    const { layout } = this.#memory;
    this.#current = this.next;
    const published = layout.published(this.rank);
    Atomics.store(this.#words, published, this.#current);
    if (Atomics.load(this.#words, layout.sleepers(this.rank)) > 0) Atomics.notify(this.#words, published);
  }

  /** Says that this rank is at work. */
  progress(): void {
    Atomics.add(this.#words, this.#memory.layout.progress(this.rank), 1);
  }

  /**
   * Returns once `peer` has published `round`.
   *
   * @throws RR_TIMEOUT naming the rank that did not move; {@link Poisoned} if the group failed meanwhile.
   */
  wait(peer: number, round: number): void {
    const words = this.#words;
    const published = this.#memory.layout.published(peer);
    if (((Atomics.load(words, published) - round) | 0) >= 0) return;
    if (this.#measureWaits) {
      const start = performance.now();
      this.#spinThenSleep(peer, round);
      this.waitedMs += performance.now() - start;
    } else {
      this.#spinThenSleep(peer, round);
    }
  }

  #spinThenSleep(peer: number, round: number): void {
    const words = this.#words;
    const published = this.#memory.layout.published(peer);
    for (let left = this.#spins.forNextWait(); left > 0; left--) {
      if (((Atomics.load(words, published) - round) | 0) < 0) continue;
      this.#spins.paid();
      return;
    }
    this.#spins.wasInVain();
    this.#sleep(peer, round);
  }

  waitForAll(round: number): void {
    for (let distance = 1; distance < this.worldSize; distance++) {
      this.wait((this.rank + distance) % this.worldSize, round);
    }
  }

  #sleep(peer: number, round: number): void {
    const { layout } = this.#memory;
    const words = this.#words;
    const slice = Math.min(longestSleepMs, this.#stepTimeoutMs / 4);
    Atomics.store(words, layout.waitingFor(this.rank), 1 + peer);
    Atomics.add(words, layout.sleepers(peer), 1);
    try {
      let suspect = -1;
      let moves = 0;
      let since = 0;
      for (;;) {
        const seen = Atomics.load(words, layout.published(peer));
        if (((seen - round) | 0) >= 0) return;
        if (isPoisoned(this.#memory)) throw new Poisoned();
        if (Atomics.wait(words, layout.published(peer), seen, slice) !== "timed-out") continue;
        const now = performance.now();
        const end = this.#endOfWait(peer);
        const moved = this.#memory.moves(end);
        if (end !== suspect || moved !== moves) {
          suspect = end;
          moves = moved;
          since = now;
        } else if (now - since >= this.#limitMs(end)) {
          throw this.#timeout(end);
        }
      }
    } finally {
      Atomics.sub(words, layout.sleepers(peer), 1);
      Atomics.store(words, layout.waitingFor(this.rank), 0);
    }
  }

  /** The rank that everybody from `peer` on waits for. */
  #endOfWait(peer: number): number {
    let end = peer;
    for (let hop = 0; hop < this.worldSize; hop++) {
      const next = Atomics.load(this.#words, this.#memory.layout.waitingFor(end));
      if (next === 0) break;
      end = next - 1;
    }
    return end;
  }

  /** A rank whose thread is only starting has no step to be late with. */
  #limitMs(rank: number): number {
    const joined = Atomics.load(this.#words, this.#memory.layout.joined(rank)) === 1;
    return joined ? this.#stepTimeoutMs : Math.max(this.#stepTimeoutMs, longestStartMs);
  }

  #timeout(culprit: number): RingrankError {
    return new RingrankError(
      "RR_TIMEOUT",
      `rank ${culprit} made no progress for ${this.#limitMs(culprit)} ms while rank ${this.rank} waited for it in ` +
        `${this.during}: expected every rank to call the same collectives. It may be stuck or dead; if it only ` +
        "works long, raise stepTimeoutMs or let it call progress()",
      { rank: culprit },
    );
  }
}

/** Ends a wait in a group that somebody else has poisoned; the caller turns it into the group's first cause. */
export class Poisoned extends Error {}

const longestSleepMs = 50;
const longestStartMs = 10_000;
