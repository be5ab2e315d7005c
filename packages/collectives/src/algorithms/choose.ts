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
 * | all-reduce of | 2 ranks          | 4 ranks           | 8 ranks            | 16 ranks           |
 * |---------------|------------------|-------------------|--------------------|--------------------|
 * | 1 KiB         | 1.8 / 2.9 / 4.0  | 3.4 / 4.3 / 10.1  | 5.6 / 7.0 / 13.3   | 7.6 / 8.2 / 22.1   |
 * | 8 KiB         | 3.8 / 4.0 / 4.8  | 8.5 / 7.3 / 11.6  | 16.2 / 9.3 / 17.7  | 31.3 / 12.9 / 32.3 |
 * | 32 KiB        | 15 / 17 / 17     | 28 / 19 / 25      | 52 / 22 / 37       | 116 / 31 / 59      |
 * | 128 KiB       | 50 / 50 / 49     | 99 / 64 / 68      | 194 / 76 / 109     | 427 / 102 / 171    |
 * | 1 MiB         | 428 / 406 / 337  | 737 / 497 / 428   | 3009 / 1732 / 1330 | 3953 / 732 / 601   |
 *
 * Since then, two ranks pass all messages of up to 256 KiB through slots (swap.ts), with memcpy. On two cores of an AMD
 * EPYC, 256 KiB take 74 µs that way. Windows took 122 µs, and 134 µs before local arrays were copied with memcpy
 * (measured in turns in one run).
 *
 * With ranks that share the two cores of a Xeon and yield them to one another:
 *
 * | all-reduce of | 4 ranks               | 8 ranks               |
 * |---------------|-----------------------|-----------------------|
 * | 8 KiB         | 21 / 25 / 55          | 56 / 63 / 222         |
 * | 16 KiB        | 23 / 23               | 78 / 73               |
 * | 32 KiB        | 46 / 40               | 128 / 97              |
 * | 64 KiB        | 106 / 88 / 152        | 306 / 166 / 357       |
 * | 256 KiB       | 363 / 331 / 410       | 1642 / 1397 / 1921    |
 * | 1 MiB         | 3517 / 3775 / 2664    | 10416 / 6568 / 6418   |
 * | 4 MiB         | 13267 / 11243 / 10319 | 35510 / 21906 / 19856 |
 */
function switchOvers(worldSize: number, sharesCores: boolean): { twoShot: number; ring: number } {
  if (sharesCores) return { twoShot: 16 * 1024, ring: 1024 * 1024 };
  // With two ranks, two-shot reads as much as one-shot, which is fastest as long as a message fits a slot.
  if (worldSize === 2) return { twoShot: slotLength * 4 + 1, ring: slotLength * 4 + 1 };
  return { twoShot: (16 * 1024) / worldSize, ring: 512 * 1024 };
}
