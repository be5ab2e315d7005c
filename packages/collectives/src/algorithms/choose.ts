import type { Algorithm } from "../communicator.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";
import { createRing, type RingObserver } from "./ring.js";

type ChosenKind = "allReduce" | "allGather" | "reduceScatter";

/** One rank's choice of algorithm: what was forced, or by the size of the message. The same on every rank. */
export class AlgorithmChoice {
  readonly #forced: Algorithm;
  readonly #worldSize: number;
  readonly #ring: CollectiveAlgorithm;

  constructor(forced: Algorithm, worldSize: number, observeRing: RingObserver | undefined) {
    this.#forced = forced;
    this.#worldSize = worldSize;
    this.#ring = createRing(observeRing);
  }

  /** `bytes` of the whole message: what is reduced, or what is gathered. */
  of(kind: ChosenKind, bytes: number): CollectiveAlgorithm {
    if (this.#forced === "ring") return this.#ring;
    if (this.#forced === "one-shot") return oneShot;
    return ringPays(kind, bytes, this.#worldSize) ? this.#ring : oneShot;
  }
}

/**
 * Only a long all-reduce is worth a ring: there, one-shot has every rank add up the whole message, and a ring only
 * its share. In the others each rank adds or copies its share either way, and one-shot waits less.
 *
 * Measured with bench/collectives.mjs and the JavaScript kernels, on two x86-64 cores (so all but the first column
 * share cores); microseconds for ring / one-shot, in a noisy place:
 *
 * | all-reduce of | 2 ranks       | 3 ranks       | 4 ranks       | 8 ranks        |
 * |---------------|---------------|---------------|---------------|----------------|
 * | 8 KiB         | 9 / 20        | 78 / 52       | 163 / 75      | 937 / 199      |
 * | 64 KiB        | 295 / 178     | 243 / 473     | 433 / 485     | 1310 / 1458    |
 * | 256 KiB       | 390 / 402     | 709 / 1686    | 490 / 981     | 2216 / 4655    |
 * | 1 MiB         | 1038 / 1525   | 3207 / 5088   | 1367 / 4340   | 7059 / 25574   |
 * | 4 MiB         | 4295 / 5895   | 9541 / 25085  | 6048 / 18817  | 23697 / 78642  |
 */
function ringPays(kind: ChosenKind, bytes: number, worldSize: number): boolean {
  return kind === "allReduce" && bytes >= (worldSize === 2 ? ringFromBytes.two : ringFromBytes.more);
}

const ringFromBytes = { two: 512 * 1024, more: 64 * 1024 };
