import type { Algorithm } from "../communicator.js";
import { slotLength } from "../group/layout.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";
import { createRing, type RingObserver } from "./ring.js";
import { twoShot } from "./two-shot.js";

type ChosenKind = "allReduce" | "allGather" | "reduceScatter";

/** One rank's choice of algorithm: a forced one, or one by the size of the message. It is the same on every rank. */
export class AlgorithmChoice {
  readonly #forced: CollectiveAlgorithm | undefined;
  readonly #ring: CollectiveAlgorithm;
  readonly #from: { readonly twoShot: number; readonly ring: number };

  /** `sharesCores`: the group has more ranks than there are cores. */
  constructor(
    forced: Algorithm,
    worldSize: number,
    sharesCores: boolean,
    observeRing: RingObserver | undefined,
  ) {
    this.#ring = createRing(observeRing);
    this.#forced = [oneShot, twoShot, this.#ring].find(({ name }) => name === forced);
    this.#from = switchOvers(worldSize, sharesCores);
  }

  /** `bytes`: the size of the whole message, which is reduced or gathered. */
  of(kind: ChosenKind, bytes: number): CollectiveAlgorithm {
    if (this.#forced !== undefined) return this.#forced;
    if (kind !== "allReduce" || bytes < this.#from.twoShot) return oneShot;
    return bytes < this.#from.ring ? twoShot : this.#ring;
  }
}

/**
 * From how many bytes on an all-reduce uses two-shot, and from how many the ring. One-shot waits once, but every rank
 * reads and adds the messages of all ranks. Two-shot waits twice, and a ring 2(N−1) times, but each rank only reads and
 * adds its share. In other collectives, a rank only handles its share anyway, and one-shot waits least.
 *
 * Measured with bench/collectives.mjs and the SIMD kernels; microseconds for one-shot / two-shot / ring. With one core
 * per rank, on a Xeon with 16 cores:
 *
 * | all-reduce of | 3 ranks         | 4 ranks         | 8 ranks          | 16 ranks           |
 * |---------------|-----------------|-----------------|------------------|--------------------|
 * | 1 KiB         | 1.9 / 3.2 / 8.0 | 2.1 / 3.2 / 9.6 | 3.2 / 4.3 / 15   | 5.3 / 6.6 / 25     |
 * | 2 KiB         | 3.6 / 6.3 / 12  | 3.4 / 4.9 / 9.5 | 5.3 / 5.6 / 17   | 9.7 / 8.5 / 27     |
 * | 4 KiB         | 4.8 / 4.9 / 9.7 | 5.0 / 4.9 / 9.8 | 8.2 / 5.9 / 17   | 16 / 10 / 34       |
 * | 8 KiB         | 7.9 / 8.8 / 15  | 8.1 / 6.6 / 15  | 14 / 7.6 / 19    | 28 / 12 / 52       |
 * | 32 KiB        | 19 / 20 / 32    | 25 / 19 / 39    | 48 / 18 / 44     | 95 / 24 / 124      |
 * | 128 KiB       | 56 / 36 / 54    | 97 / 50 / 82    | 187 / 54 / 133   | 370 / 138 / 488    |
 * | 1 MiB         | 402 / 278 / 303 | 516 / 294 / 318 | 1475 / 394 / 422 | 3441 / 929 / 1154  |
 * | 2 MiB         |                 | – / 650 / 652   | – / 750 / 794    | – / 2126 / 1999    |
 * | 8 MiB         |                 | – / 2670 / 2798 | – / 3355 / 3326  | – / 8916 / 6983    |
 *
 * Two ranks on two other cores of it: 1 KiB takes 1.8 / 2.9 / 4.0, 8 KiB 3.8 / 4.0 / 4.8, 128 KiB 50 / 50 / 49.
 *
 * Since then, two ranks pass all messages of up to 256 KiB through slots (swap.ts), with memcpy. On two cores of an AMD
 * EPYC, 256 KiB take 74 µs that way. Windows took 122 µs, and 134 µs before local arrays were copied with memcpy
 * (measured in turns in one run).
 *
 * With ranks that share the two cores of that EPYC and yield them to one another:
 *
 * | all-reduce of | 4 ranks            | 8 ranks            |
 * |---------------|--------------------|--------------------|
 * | 4 KiB         | 8.3 / 13 / 30      | 16 / 24 / 94       |
 * | 8 KiB         | 9.8 / 14 / 33      | 40 / 56 / 169      |
 * | 16 KiB        | 12 / 14 / 29       | 34 / 37 / 127      |
 * | 32 KiB        | 17 / 18 / 33       | 44 / 40 / 125      |
 * | 64 KiB        | 42 / 36 / 63       | 96 / 68 / 185      |
 * | 256 KiB       | 218 / 199 / 217    | 316 / 193 / 345    |
 * | 1 MiB         | 961 / 847 / 704    | 1618 / 941 / 1072  |
 * | 2 MiB         | 2073 / 2004 / 2445 | 3712 / 2675 / 2732 |
 * | 4 MiB         | 3192 / 2163 / 2119 | 7965 / 5474 / 5639 |
 */
function switchOvers(worldSize: number, sharesCores: boolean): { twoShot: number; ring: number } {
  const ring = 2 * 1024 * 1024;
  if (sharesCores) return { twoShot: 32 * 1024, ring };
  // With two ranks, two-shot reads as much as one-shot, which is fastest as long as a message fits a slot.
  if (worldSize === 2) return { twoShot: slotLength * 4 + 1, ring: slotLength * 4 + 1 };
  return { twoShot: Math.max(2 * 1024, (16 * 1024) / worldSize), ring };
}
