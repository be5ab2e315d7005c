/**
 * How often a rank may look at a peer's counter before it sleeps on it.
 *
 * A sleep and its wake cost more than a small all-reduce; a spin costs nothing but the core it runs on. Where every
 * rank has a core, it may spin for about as long as a small decode segment lasts. Where ranks share cores, whoever
 * spins keeps the one it waits for from running, so it sleeps almost at once.
 */
export function spinsFor(sharesCores: boolean): number {
  return sharesCores ? fewestSpins : 20_000;
}

const fewestSpins = 50;

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
