/** How often a waiting rank polls its peers' counters before it sleeps. One poll is called a look. */
export interface Allowance {
  /** The group's limit ({@link mostLooks}), or a quarter of it if ranks share cores. */
  readonly most: number;
  /** The lowest value that the limit can fall to. */
  readonly fewest: number;
  /** One in this many waits gets the whole allowance. */
  readonly waitsPerTrial: number;
}

/** These take about two milliseconds: longer than a small decode segment, or than most brief delays of a peer. */
export const mostLooks = 8000;

/**
 * If each rank has a core, it rests after each look ({@link rest}) and yields the core now and then
 * ({@link looksPerYield}), so any other thread gets its share, and polling for longer does little harm. If ranks share
 * cores, a rank yields its core after each look (yield-core.ts). A yield takes about as long as a few rests, and costs
 * nothing if only other ranks are waiting for the core. If other programs want the core too, a look lasts for a time
 * slice of theirs, and the system prefers threads that sleep to threads that yield. Trials are rare in this case, and a
 * rank may stop polling altogether.
 */
export function allowance(hasCore: boolean, most: number): Allowance {
  return hasCore
    ? { most, fewest: most >> 2, waitsPerTrial: 64 }
    : { most: most >> 2, fewest: 0, waitsPerTrial: 512 };
}

/**
 * A rank with a core of its own yields it after this many looks, which take about 16 µs. If there are as many ranks as
 * cores, any other thread, such as the caller's, puts two ranks on one core. One of them would then poll for the other
 * and keep it from running until the system takes the core away. Otherwise a yield takes about a microsecond.
 */
export const looksPerYield = 64;

/** Whether each rank has a core of its own. */
export function hasCoreEach(worldSize: number, cores: number): boolean {
  return worldSize <= cores;
}

/**
 * A look that takes longer than this, in milliseconds, means that another program ran on the yielded core. It may take
 * as long as the core's other ranks work, and those have about as much to do as this one.
 *
 * @param worked milliseconds since this rank's last wait
 */
export function longestLook(worked: number, ranksPerCore: number): number {
  return 1 + worked * ranksPerCore;
}

/**
 * Takes about a quarter of a microsecond in which the core has next to nothing to do: a chain of dependent square
 * roots. WebAssembly and JavaScript have no pause instruction. Without rests, polling would keep taking the cache lines
 * of the counters from the ranks that want to write them.
 *
 * @param root the result of the last rest, 1 at first
 * @returns the argument for the next rest, so that the engine cannot optimize this one away
 */
export function rest(root: number): number {
  let next = root;
  for (let left = 40; left > 0; left--) next = Math.sqrt(next + 1);
  return next;
}

/**
 * Adapts one rank's number of looks to its experience. If other programs want the cores too, the peer is often not
 * running, and polling only delays it. So the limit falls when looking was in vain, and is restored at once when it was
 * not. Now and then, a wait gets the whole allowance; otherwise two ranks that take turns waking each other would never
 * discover that they need not sleep.
 */
export class LookLimit {
  readonly #most: number;
  readonly #fewest: number;
  readonly #waitsPerTrial: number;
  #limit: number;
  #waits = 0;

  constructor({ most, fewest, waitsPerTrial }: Allowance) {
    this.#most = most;
    this.#fewest = Math.min(most, fewest);
    this.#waitsPerTrial = waitsPerTrial;
    this.#limit = most;
  }

  /** How often to look in the wait that is starting. */
  forNextWait(): number {
    this.#waits = (this.#waits + 1) % this.#waitsPerTrial;
    return this.#waits === 0 ? this.#most : this.#limit;
  }

  /** That wait ended while the rank was looking. */
  paid(): void {
    this.#limit = this.#most;
  }

  /** The rank had to sleep after all. */
  wasInVain(): void {
    this.#limit = Math.max(this.#fewest, this.#limit >> 2);
  }
}
