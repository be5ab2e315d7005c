/**
 * Looks at peers' counters, at most, before a rank sleeps. Where each rank has a core: for about as long as a small
 * decode segment lasts, with a {@link rest} after each. Where ranks share cores, one after the other, for about as long
 * as a sleep and its wake take: the rank spun for may stand in line for the very core.
 */
export function mostSpins(worldSize: number, cores: number): number {
  return hasCoreEach(worldSize, cores) ? 2000 : 1000;
}

/** Whether each rank has a core. */
export function hasCoreEach(worldSize: number, cores: number): boolean {
  return worldSize <= cores;
}

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
 * Whether a rank may spin while `atWork` others have to run before its wait ends.
 *
 * A sleep and its wake cost more than a small all-reduce, most of all where a core falls asleep with the rank; a spin
 * costs nothing but the core it runs on. So a rank spins while there is a core for each of those at work beside its
 * own. Where there is none, it would keep one of them from running, and sleeps at once. With 4 ranks on 2 cores, the
 * first two to arrive make room for the others, and the third spins for the fourth.
 */
export function canSpin(atWork: number, cores: number): boolean {
  return atWork < cores;
}

/**
 * What one rank makes of its allowance. Where other programs want the cores too, the peer is often not running, and
 * whoever spins for it only keeps it waiting. So the limit falls when spinning was in vain, and is back
 * at once when it was not. Now and then a wait gets the whole allowance: without that, two ranks that take turns
 * waking each other would never find out that they can do without.
 */
export class SpinLimit {
  readonly #most: number;
  #limit: number;
  #waits = 0;

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  /** How often to look in the wait that begins now. */
  forNextWait(): number {
    this.#waits = (this.#waits + 1) % waitsPerTrial;
    return this.#waits === 0 ? this.#most : this.#limit;
  }

  /** That wait ended while the rank spun. */
  paid(): void {
    this.#limit = this.#most;
  }

  /** The rank had to sleep after all. */
  wasInVain(): void {
    this.#limit = Math.max(Math.min(this.#most, fewestSpins), this.#limit >> 2);
  }
}

const waitsPerTrial = 64;
/** A limit does not fall below. */
const fewestSpins = 50;
