/** How often a rank that waits looks at its peers' counters before it sleeps. */
export interface Allowance {
  /** What the group has ({@link mostLooks}); a quarter of that where ranks share cores. */
  readonly most: number;
  /** The limit does not fall below. */
  readonly fewest: number;
  /** One wait of so many gets the whole allowance. */
  readonly waitsPerTrial: number;
}

/** They last about two milliseconds: longer than a small decode segment, or what holds a peer up for a moment. */
export const mostLooks = 8000;

/**
 * Where each rank has a core, it rests after each look ({@link rest}), and yields the core now and then
 * ({@link looksPerYield}): whoever wants it has its share, so looking on is no great harm. Where ranks share cores, it
 * yields the core after each look (yield-core.ts), which takes as long as some rests, and costs nothing while all who
 * wait for it are ranks. If other programs want it, too, a look takes a slice of their time, and a sleeper is preferred
 * to whoever yields: there trials are rare, and a rank may do without any look.
 */
export function allowance(hasCore: boolean, most: number): Allowance {
  return hasCore
    ? { most, fewest: most >> 2, waitsPerTrial: 64 }
    : { most: most >> 2, fewest: 0, waitsPerTrial: 512 };
}

/**
 * A rank with a core yields it after so many looks, which take some 16 µs. Where ranks are as many as cores, any other
 * thread, such as the caller's, puts two ranks on one core; one of them would look for the other and keep it from
 * running until the system takes the core away. Otherwise a yield takes about a microsecond.
 */
export const looksPerYield = 64;

/** Whether each rank has a core. */
export function hasCoreEach(worldSize: number, cores: number): boolean {
  return worldSize <= cores;
}

/** A look that takes longer, in milliseconds, was another program's turn on a core that was yielded. */
export const longestLookMs = 1;

/**
 * About a quarter of a microsecond in which the core has next to nothing to do: square roots, each of the last one's
 * outcome. It is what WebAssembly and JavaScript have in place of an instruction to pause. Looks that follow one another
 * at once keep the counters' cache lines from those who want to write them, of which there are as many as ranks.
 *
 * @param root of the last rest, 1 at first
 * @returns what the next one begins with, so that the engine leaves none out
 */
export function rest(root: number): number {
  let next = root;
  for (let left = 40; left > 0; left--) next = Math.sqrt(next + 1);
  return next;
}

/**
 * What one rank makes of its allowance. Where other programs want the cores too, the peer is often not running, and
 * whoever looks for it only keeps it waiting. So the limit falls when looking was in vain, and is back at once when it
 * was not. Now and then a wait gets the whole allowance: without that, two ranks that take turns waking each other would
 * never find out that they can do without.
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

  /** How often to look in the wait that begins now. */
  forNextWait(): number {
    this.#waits = (this.#waits + 1) % this.#waitsPerTrial;
    return this.#waits === 0 ? this.#most : this.#limit;
  }

  /** That wait ended while the rank looked. */
  paid(): void {
    this.#limit = this.#most;
  }

  /** The rank had to sleep after all. */
  wasInVain(): void {
    this.#limit = Math.max(this.#fewest, this.#limit >> 2);
  }
}
