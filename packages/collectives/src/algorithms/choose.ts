import type { Algorithm } from "../communicator.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";
import { createRing, type RingObserver } from "./ring.js";

export type ChosenKind = "allReduce" | "allGather" | "reduceScatter";

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

function ringPays(kind: ChosenKind, bytes: number, worldSize: number): boolean {
  return kind !== "allGather" && worldSize > 2 && bytes >= 1 << 20;
}
