// The global `performance` is a getter, and takes a third longer.
import { performance } from "node:perf_hooks";
import type { GroupHandle } from "./group.js";
import type { GroupMemory } from "./group-memory.js";
import { allowance, hasCoreEach, LookLimit, longestLook, looksPerYield, rest } from "./looks.js";
import { isPoisoned } from "./poison.js";
import { Silence } from "./silence.js";
import { lateYieldCore, type YieldCore, yieldCore } from "./yield-core.js";

/**
 * Publishes rounds and waits for those of other ranks.
 *
 * A waiting rank polls its peers' counters for a while (looks.ts), and then sleeps. Between two looks it rests, and now
 * and then yields its core; if ranks share cores, it yields after each look. It announces the sleep before its last
 * look, and a publisher checks for sleepers after incrementing its counter, so one of the two always notices the other.
 * A poison between the last look and the sleep is noticed when the sleep ends, at most {@link longestSleepMs} later.
 *
 * A rank that waits for one peer sleeps on that peer's counter. A rank that waits for all sleeps on the group's `gate`,
 * which only the last rank to arrive opens: if several arrive at once, at least one of them sees that all have arrived.
 * So a round wakes each sleeper once, not once per peer. silence.ts says when a wait expires.
 */
export class Rounds {
  readonly rank: number;
  readonly worldSize: number;
  /**
   * How often a kernel may look for other ranks before it leaves the wait to {@link waitForAll}. All its looks take
   * about a microsecond, which is short compared with a sleep, even if other threads want the core. Waits are measured
   * in `waitForAll`. So if they are measured, or if ranks share cores, a kernel only looks once.
   */
  readonly kernelLooks: number;
  /** The collective in progress, for error messages. */
  during = "a collective";
  readonly #memory: GroupMemory;
  readonly #words: Int32Array;
  readonly #looks: LookLimit;
  readonly #hasCore: boolean;
  readonly #ranksPerCore: number;
  /** When this rank last had to wait, if it shares its core: it has worked since then. */
  #waitEnded = performance.now();
  readonly #yieldCore: YieldCore;
  /** The argument of the next {@link rest}. */
  #root = 1;
  readonly #stepTimeoutMs: number;
  readonly #measureWaits: boolean;
  /** See `Communicator.meanwhile`. */
  meanwhile: (() => void) | undefined;
  /** Milliseconds spent waiting, if this is measured. */
  waitedMs = 0;
  #current: number;
  /**
   * All ranks have published at least this round. Checking again would take a cache line from a peer that may want to
   * write it.
   */
  #publishedByAll: number;

  constructor(memory: GroupMemory, handle: GroupHandle, rank: number, measureWaits = false) {
    this.rank = rank;
    this.worldSize = handle.worldSize;
    this.#memory = memory;
    this.#words = memory.words;
    this.#hasCore = hasCoreEach(handle.worldSize, handle.cores);
    this.#ranksPerCore = Math.ceil(handle.worldSize / handle.cores);
    const yieldOwnCore = this.#hasCore ? lateYieldCore() : yieldCore();
    // A rank that keeps the core while another one waits for it would look in vain.
    const most = yieldOwnCore === undefined ? 0 : handle.looks;
    this.#yieldCore = yieldOwnCore ?? (() => {});
    this.#looks = new LookLimit(allowance(this.#hasCore, most));
    this.#stepTimeoutMs = handle.stepTimeoutMs;
    this.#measureWaits = measureWaits;
    this.kernelLooks = this.#hasCore && !measureWaits ? Math.min(mostKernelLooks, handle.looks) : 1;
    this.#current = Atomics.load(memory.words, memory.layout.published(rank));
    this.#publishedByAll = this.#current;
    // Ranks that have been waiting for this one to join restart their timeout.
    this.progress();
  }

  /** The last round that this rank has published, in a 32-bit counter that wraps around. */
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

  /**
   * Follows up after a kernel has stored `next` in this rank's `published` word. `byAll`: the kernel saw that all other
   * ranks have published it too.
   */
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

  /** Reports that this rank is working. */
  progress(): void {
    Atomics.add(this.#words, this.#memory.layout.progress(this.rank), 1);
  }

  /**
   * Returns once `peer` has published `round`.
   *
   * @throws RR_TIMEOUT naming the rank that did not move; {@link Poisoned} if the group has failed in the meantime.
   */
  wait(peer: number, round: number): void {
    if (!this.#hasPublished(peer, round)) this.#lookThenSleep(peer, round);
  }

  /** Returns once every rank has published `round`. Throws like {@link wait}. */
  waitForAll(round: number): void {
    if (((this.#publishedByAll - round) | 0) >= 0) return;
    if (this.#firstMissing("all", round) !== undefined) this.#lookThenSleep("all", round);
    this.#publishedByAll = round;
  }

  #hasPublished(rank: number, round: number): boolean {
    return ((Atomics.load(this.#words, this.#memory.layout.published(rank)) - round) | 0) >= 0;
  }

  /** The first awaited rank, counting from this one, that has not published `round`. */
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
    if (!this.#hasCore) this.#waitEnded = performance.now();
    if (this.#measureWaits) this.waitedMs += performance.now() - start;
  }

  /**
   * Looks until the wait is over, at most `times` times, and works, rests or yields in between. It must contain nothing
   * but the loop. V8 compiles a loop while it is running; code after the loop that has never run is compiled as an exit
   * from the optimized code (a deoptimization). As the compiled code is kept, every wait would end with this exit,
   * which takes longer than the wait.
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

  /** Does the same, but yields the core after each look. Gives up once a yield takes longer than other ranks' work. */
  #lookAndYield(awaited: Awaited, round: number, times: number): boolean {
    let last = performance.now();
    const longest = longestLook(last - this.#waitEnded, this.#ranksPerCore);
    for (let left = times; left > 0; left--) {
      if (this.#firstMissing(awaited, round) === undefined) return true;
      this.meanwhile?.();
      this.#yieldCore();
      const now = performance.now();
      if (now - last > longest) return false;
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
    const silence = new Silence(this.#memory, this.#stepTimeoutMs);
    Atomics.add(words, sleepers, 1);
    try {
      for (;;) {
        const seen = Atomics.load(words, bell);
        const peer = this.#firstMissing(awaited, round);
        if (peer === undefined) return;
        if (isPoisoned(this.#memory)) throw new Poisoned();
        Atomics.store(words, layout.waitingFor(this.rank), 1 + peer);
        if (Atomics.wait(words, bell, seen, slice) === "timed-out") silence.lasted(slice, peer, this);
      }
    } finally {
      Atomics.sub(words, sleepers, 1);
      Atomics.store(words, layout.waitingFor(this.rank), 0);
    }
  }
}

/** Ends a wait in a group that another rank has poisoned. The caller converts it to the group's first cause. */
export class Poisoned extends Error {}

/** One rank, or every rank. */
type Awaited = number | "all";

const mostKernelLooks = 2000;
const longestSleepMs = 50;
