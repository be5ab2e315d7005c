import { RingrankError } from "@ringrank/errors";
import type { GroupHandle } from "./group.js";
import type { GroupMemory } from "./group-memory.js";
import { allowance, hasCoreEach, LookLimit, longestLookMs, looksPerYield, rest } from "./looks.js";
import { isPoisoned } from "./poison.js";
import { lateYieldCore, type YieldCore, yieldCore } from "./yield-core.js";

/**
 * Publishing rounds and waiting for those of others.
 *
 * A rank that waits looks at its peers' counters for a while (looks.ts), and then sleeps. Between two looks it rests,
 * and yields its core now and then; where ranks share cores, it does so after each look. It announces the sleep before
 * it looks a last time, and a publisher looks for sleepers after it has counted up, so one of the two sees the other. A
 * poison that falls between the last look and the sleep is seen at the sleep's end, at most {@link longestSleepMs}
 * later.
 *
 * Who waits for one peer sleeps on that peer's counter. Who waits for all sleeps on the group's `gate`, which only the
 * last to arrive opens: of several that arrive at once, each sees all the others or is seen by one that does. So a
 * round wakes each sleeper once, not once for every peer.
 *
 * A wait expires when the rank at its end has not moved for `stepTimeoutMs`. The end is not always the peer: if
 * 0 waits for 1 and 1 for 2, it is 2 that has to move, and 2 that is named. A rank that has not joined yet gets
 * {@link longestStartMs} at least. Time is what sleeps add up to, not what a clock says: a process that was stopped
 * (Ctrl-Z, a debugger) goes on with the sleep it was in, and all ranks were stopped alike.
 */
export class Rounds {
  readonly rank: number;
  readonly worldSize: number;
  /**
   * How often a kernel may look for the one other rank before it leaves the wait to {@link waitForAll}. All its looks
   * take a microsecond or so: little beside a sleep, whoever else wants the core. Waits are measured in `waitForAll`,
   * so where they are, and where ranks share cores, a kernel looks once.
   */
  readonly kernelLooks: number;
  /** The collective in progress, for messages. */
  during = "a collective";
  readonly #memory: GroupMemory;
  readonly #words: Int32Array;
  readonly #looks: LookLimit;
  readonly #hasCore: boolean;
  readonly #yieldCore: YieldCore;
  /** What the next rest begins with. */
  #root = 1;
  readonly #stepTimeoutMs: number;
  readonly #measureWaits: boolean;
  /** A little work that is done between two looks. */
  meanwhile: (() => void) | undefined;
  /** Milliseconds spent waiting, where they are measured. */
  waitedMs = 0;
  #current: number;
  /** All have published this round at least. To look again takes a line from a peer that may want to write it. */
  #publishedByAll: number;

  constructor(memory: GroupMemory, handle: GroupHandle, rank: number, measureWaits = false) {
    this.rank = rank;
    this.worldSize = handle.worldSize;
    this.#memory = memory;
    this.#words = memory.words;
    this.#hasCore = hasCoreEach(handle.worldSize, handle.cores);
    const yieldOwnCore = this.#hasCore ? lateYieldCore() : yieldCore();
    // Who keeps the core while another rank waits for it looks in vain.
    const most = yieldOwnCore === undefined ? 0 : handle.looks;
    this.#yieldCore = yieldOwnCore ?? (() => {});
    this.#looks = new LookLimit(allowance(this.#hasCore, most));
    this.#stepTimeoutMs = handle.stepTimeoutMs;
    this.#measureWaits = measureWaits;
    this.kernelLooks = this.#hasCore && !measureWaits ? Math.min(mostKernelLooks, handle.looks) : 1;
    this.#current = Atomics.load(memory.words, memory.layout.published(rank));
    this.#publishedByAll = this.#current;
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
    Atomics.store(this.#words, this.#memory.layout.published(this.rank), this.next);
    this.wasPublished(false);
  }

  /** After a kernel has stored `next` in this rank's `published` word, and maybe seen that all others have, too. */
  wasPublished(byAll: boolean): void {
    const words = this.#words;
    const { layout } = this.#memory;
    this.#current = this.next;
    if (byAll) this.#publishedByAll = this.#current;
    const published = layout.published(this.rank);
    if (Atomics.load(words, layout.sleepers(this.rank)) > 0) Atomics.notify(words, published);
    if (
      Atomics.load(words, layout.gateSleepers) > 0 &&
      this.#firstMissing("all", this.#current) === undefined
    ) {
      Atomics.add(words, layout.gate, 1);
      Atomics.notify(words, layout.gate);
    }
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
    if (!this.#hasPublished(peer, round)) this.#lookThenSleep(peer, round);
  }

  /** Returns once every rank has published `round`; throws as {@link wait} does. */
  waitForAll(round: number): void {
    if (((this.#publishedByAll - round) | 0) >= 0) return;
    if (this.#firstMissing("all", round) !== undefined) this.#lookThenSleep("all", round);
    this.#publishedByAll = round;
  }

  #hasPublished(rank: number, round: number): boolean {
    return ((Atomics.load(this.#words, this.#memory.layout.published(rank)) - round) | 0) >= 0;
  }

  /** Of those waited for, the first one after this rank that has not published `round`. */
  #firstMissing(awaited: Awaited, round: number): number | undefined {
    if (awaited !== "all") return this.#hasPublished(awaited, round) ? undefined : awaited;
    for (let distance = 1; distance < this.worldSize; distance++) {
      const peer = (this.rank + distance) % this.worldSize;
      if (!this.#hasPublished(peer, round)) return peer;
    }
    return undefined;
  }

  #lookThenSleep(awaited: Awaited, round: number): void {
    const start = this.#measureWaits ? performance.now() : 0;
    const times = this.#looks.forNextWait();
    const isOver = this.#hasCore
      ? this.#lookAndRest(awaited, round, times)
      : this.#lookAndYield(awaited, round, times);
    if (isOver) this.#looks.paid();
    else {
      this.#looks.wasInVain();
      this.#sleep(awaited, round);
    }
    if (this.#measureWaits) this.waitedMs += performance.now() - start;
  }

  /**
   * Looks until the wait is over, so many times at most; works, and rests or yields, in between. Nothing but the loop:
   * the engine compiles a loop that is running, and what has never run behind it as a way out of the compiled code. It
   * would be taken at the end of every wait, as such code is kept, and takes longer than the wait.
   */
  #lookAndRest(awaited: Awaited, round: number, times: number): boolean {
    for (let look = 1; look <= times; look++) {
      if (this.#firstMissing(awaited, round) === undefined) return true;
      this.meanwhile?.();
      if (look % looksPerYield === 0) this.#yieldCore();
      else this.#root = rest(this.#root);
    }
    return false;
  }

  /** Likewise, and lets others have the core after each look; not again once that took long. */
  #lookAndYield(awaited: Awaited, round: number, times: number): boolean {
    let last = performance.now();
    for (let left = times; left > 0; left--) {
      if (this.#firstMissing(awaited, round) === undefined) return true;
      this.meanwhile?.();
      this.#yieldCore();
      const now = performance.now();
      if (now - last > longestLookMs) return false;
      last = now;
    }
    return false;
  }

  #sleep(awaited: Awaited, round: number): void {
    const { layout } = this.#memory;
    const words = this.#words;
    const bell = awaited === "all" ? layout.gate : layout.published(awaited);
    const sleepers = awaited === "all" ? layout.gateSleepers : layout.sleepers(awaited);
    const slice = Math.min(longestSleepMs, this.#stepTimeoutMs / 4);
    Atomics.add(words, sleepers, 1);
    try {
      let suspect = -1;
      let moves = 0;
      let stillMs = 0;
      for (;;) {
        const seen = Atomics.load(words, bell);
        const peer = this.#firstMissing(awaited, round);
        if (peer === undefined) return;
        if (isPoisoned(this.#memory)) throw new Poisoned();
        Atomics.store(words, layout.waitingFor(this.rank), 1 + peer);
        if (Atomics.wait(words, bell, seen, slice) !== "timed-out") continue;
        const end = this.#endOfWait(peer);
        const moved = this.#memory.moves(end);
        if (end !== suspect || moved !== moves) {
          suspect = end;
          moves = moved;
          stillMs = 0;
          continue;
        }
        stillMs += slice;
        if (stillMs >= this.#limitMs(end)) throw this.#timeout(end);
      }
    } finally {
      Atomics.sub(words, sleepers, 1);
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
    return this.#hasJoined(rank) ? this.#stepTimeoutMs : Math.max(this.#stepTimeoutMs, longestStartMs);
  }

  #hasJoined(rank: number): boolean {
    return Atomics.load(this.#words, this.#memory.layout.joined(rank)) === 1;
  }

  #timeout(culprit: number): RingrankError {
    const waited = `${this.#limitMs(culprit)} ms while rank ${this.rank} waited for it in ${this.during}`;
    const message = this.#hasJoined(culprit)
      ? `rank ${culprit} made no progress for ${waited}: expected every rank to call the same collectives, each on ` +
        "a thread of its own. It may be stuck or dead; if it only works long, raise stepTimeoutMs or let it call " +
        "progress()"
      : `rank ${culprit} did not join the group for ${waited}: expected joinGroup(handle, ${culprit}) on a thread ` +
        "of its own. It may not have been started, or be dead; if it only starts late, raise stepTimeoutMs";
    return new RingrankError("RR_TIMEOUT", message, { rank: culprit });
  }
}

/** Ends a wait in a group that somebody else has poisoned; the caller turns it into the group's first cause. */
export class Poisoned extends Error {}

/** One rank, or every rank. */
type Awaited = number | "all";

const mostKernelLooks = 2000;
const longestSleepMs = 50;
const longestStartMs = 10_000;
