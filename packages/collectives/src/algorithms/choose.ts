import type { Algorithm } from "../communicator.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";
import { createRing, type RingObserver } from "./ring.js";

type ChosenKind = "allReduce" | "allGather" | "reduceScatter";

/** One rank's choice of algorithm: what was forced, or by the size of the message. The same on every rank. */
export class AlgorithmChoice {
  readonly #forced: Algorithm;
  readonly #ringFromBytes: number;
  readonly #ring: CollectiveAlgorithm;

  /** `sharesCores`: the group has more ranks than there are cores. */
  constructor(
    forced: Algorithm,
    worldSize: number,
    sharesCores: boolean,
    observeRing: RingObserver | undefined,
  ) {
    this.#forced = forced;
    this.#ringFromBytes = ringFromBytes(worldSize, sharesCores);
    this.#ring = createRing(observeRing);
  }

  /** `bytes` of the whole message: what is reduced, or what is gathered. */
  of(kind: ChosenKind, bytes: number): CollectiveAlgorithm {
    if (this.#forced === "ring") return this.#ring;
    if (this.#forced === "one-shot") return oneShot;
    return kind === "allReduce" && bytes >= this.#ringFromBytes ? this.#ring : oneShot;
  }
}

/**
 * From how many bytes on an all-reduce goes round the ring. Only a long one is worth it: there, one-shot has every
 * rank add up the whole message, and a ring only its share. In the others each rank adds or copies its share either
 * way, and one-shot waits less.
 *
 * Measured with bench/collectives.mjs and the SIMD kernels, on two x86-64 cores that share no cache (so all but the
 * first column share cores); microseconds for ring / one-shot:
 *
 * | all-reduce of | 2 ranks     | 4 ranks     | 8 ranks       |
 * |---------------|-------------|-------------|---------------|
 * | 8 KiB         | 7.8 / 4.9   | 345 / 73    | 1639 / 184    |
 * | 64 KiB        | 56 / 41     | 414 / 136   | 2032 / 444    |
 * | 128 KiB       | 49 / 44     | 607 / 245   | 2671 / 562    |
 * | 256 KiB       | 81 / 92     | 680 / 333   | 1873 / 662    |
 * | 512 KiB       | 148 / 169   | 840 / 625   | 3418 / 2329   |
 * | 1 MiB         | 480 / 524   | 1079 / 1280 | 3842 / 4547   |
 * | 4 MiB         | 1941 / 2148 | 6537 / 6688 | 10808 / 17300 |
 *
 * A round costs many times as much where ranks share cores as where each has its own. More than two ranks with a core
 * each are not in the table: there a ring of N adds 2(N−1) such rounds and saves N−2 readings of the message, which a
 * core reads out of another's cache, so 64 KiB are on the safe side.
 */
function ringFromBytes(worldSize: number, sharesCores: boolean): number {
  if (sharesCores) return 1024 * 1024;
  return worldSize === 2 ? 256 * 1024 : 64 * 1024;
}
