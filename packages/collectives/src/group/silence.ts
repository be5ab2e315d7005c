import { RingrankError } from "@ringrank/errors";
import type { GroupMemory } from "./group-memory.js";

/**
 * Decides when a sleeping rank has waited too long, and for which rank. Each wait has its own.
 *
 * A wait expires when the rank at the end of the chain has not moved for `stepTimeoutMs`. This is not always the peer:
 * if 0 waits for 1 and 1 waits for 2, then 2 has to move, and the error names 2. A rank that has not joined yet gets at
 * least {@link longestStartMs}. Time is the sum of the sleeps, not a clock reading: a process that was stopped (Ctrl-Z,
 * a debugger) resumes the sleep it was in, and all ranks were stopped with it.
 */
export class Silence {
  readonly #memory: GroupMemory;
  readonly #stepTimeoutMs: number;
  /** The rank that has to move, and its moves when it was first seen to stand still. */
  #suspect = -1;
  #moves = 0;
  #stillMs = 0;

  constructor(memory: GroupMemory, stepTimeoutMs: number) {
    this.#memory = memory;
    this.#stepTimeoutMs = stepTimeoutMs;
  }

  /**
   * Counts a sleep of `ms` that nobody has ended, of a rank that waits for `peer`.
   *
   * @throws RR_TIMEOUT naming the rank that did not move
   */
  lasted(ms: number, peer: number, waiter: Waiter): void {
    const suspect = this.#endOfChain(peer);
    const moves = this.#memory.moves(suspect);
    if (suspect !== this.#suspect || moves !== this.#moves) {
      this.#suspect = suspect;
      this.#moves = moves;
      this.#stillMs = 0;
      return;
    }
    this.#stillMs += ms;
    if (this.#stillMs >= this.#limitMs(suspect)) throw this.#timeout(suspect, waiter);
  }

  /**
   * The rank at the end of the chain of waits that starts at `peer`. A rank waits for others to come as far as it has.
   * If they have, it has more to do than to wait, but may have died in its sleep.
   */
  #endOfChain(peer: number): number {
    const { words, layout, worldSize } = this.#memory;
    let end = peer;
    for (let hop = 0; hop < worldSize; hop++) {
      const next = Atomics.load(words, layout.waitingFor(end)) - 1;
      if (next < 0 || this.#memory.lead(next, end) >= 0) break;
      end = next;
    }
    return end;
  }

  /** A rank whose thread is still starting cannot be late with a step. */
  #limitMs(rank: number): number {
    return this.#hasJoined(rank) ? this.#stepTimeoutMs : Math.max(this.#stepTimeoutMs, longestStartMs);
  }

  #hasJoined(rank: number): boolean {
    return Atomics.load(this.#memory.words, this.#memory.layout.joined(rank)) === 1;
  }

  #timeout(culprit: number, { rank, during }: Waiter): RingrankError {
    const waited = `${this.#limitMs(culprit)} ms while rank ${rank} waited for it in ${during}`;
    const message = this.#hasJoined(culprit)
      ? `rank ${culprit} made no progress for ${waited}: expected every rank to call the same collectives, each on ` +
        "a thread of its own. It may be stuck or dead; if it only works for long, raise stepTimeoutMs or let it call " +
        "progress()"
      : `rank ${culprit} did not join the group for ${waited}: expected joinGroup(handle, ${culprit}) on a thread ` +
        "of its own. It may not have been started, or may be dead; if it only starts late, raise stepTimeoutMs";
    return new RingrankError("RR_TIMEOUT", message, { rank: culprit });
  }
}

/** A rank that waits, and the collective in which it does. */
interface Waiter {
  readonly rank: number;
  readonly during: string;
}

const longestStartMs = 10_000;
