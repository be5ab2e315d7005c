import { RingrankError } from "@ringrank/errors";
import type { OfferKernel } from "../kernels/kernels.js";
import { type Call, describeCall, sameCall, signatureOf, writeCall } from "./call.js";
import type { GroupMemory } from "./group-memory.js";
import type { Rounds } from "./rounds.js";

/**
 * The primitives of collective algorithms: rounds in which a rank shows its window to others. layout.ts draws the
 * ordering rules.
 *
 * ```
 * open(call)                    start a collective
 * claim(readers) → index        my window of the next round, once its readers have released the previous contents
 *   … write there …
 * publish()                     the next round becomes the current one; the first one compares all calls
 * receive(peer) → index         the peer's window of the current round, once it is there
 * receiveAll() → index          rank 0's window of the current round, once all are there
 * ```
 *
 * In a collective with a single round, a kernel does most of this at once: `offer` fills and publishes a window, and
 * two ranks may `exchange` slots instead (algorithms/swap.ts).
 *
 * Every rank publishes the same number of rounds. Indices are elements of a 4-byte view on the whole memory.
 */
export class Transport {
  readonly rank: number;
  readonly worldSize: number;
  /** Number of elements in a window. */
  readonly windowLength: number;
  /** Elements from a rank's window to that of the next one. */
  readonly windowStride: number;
  readonly #memory: GroupMemory;
  readonly #rounds: Rounds;
  /** Number of collectives opened. Its parity selects the header. */
  #collectives = 0;
  /** Alternates with each use of the slots. */
  #slotTurn: 0 | 1 = 0;
  /** The collective whose first round has not been published yet. */
  #call: Call | undefined;

  constructor(memory: GroupMemory, rounds: Rounds) {
    this.rank = rounds.rank;
    this.worldSize = rounds.worldSize;
    this.windowLength = memory.layout.windowBytes / 4;
    this.windowStride = memory.layout.windowStride;
    this.#memory = memory;
    this.#rounds = rounds;
  }

  open(call: Call): void {
    this.#rounds.during = call.kind;
    this.#rounds.waitForAll(this.#rounds.current);
    this.#collectives = (this.#collectives + 1) | 0;
    this.#call = call;
  }

  /** Tells ranks that still call collectives that this one will not. Waits for nobody. */
  leave(): void {
    this.#collectives = (this.#collectives + 1) | 0;
    writeCall(this.#memory, this.rank, this.#collectives, { kind: "leave" });
    this.#rounds.publish();
  }

  claim(readers: number | "all"): number {
    if (readers === "all") this.#rounds.waitForAll(this.#rounds.current);
    else this.#rounds.wait(readers, this.#rounds.current);
    return this.#memory.layout.window(this.rank, this.#rounds.next);
  }

  publish(): void {
    const call = this.#call;
    if (call === undefined) {
      this.#rounds.publish();
      return;
    }
    this.#call = undefined;
    // Written only now, because other ranks spin on this line, and would otherwise fetch it once for each of the two
    // writes.
    writeCall(this.#memory, this.rank, this.#collectives, call);
    this.#rounds.publish();
    this.#rounds.waitForAll(this.#rounds.current);
    this.#compareCalls();
  }

  receive(peer: number): number {
    this.#rounds.wait(peer, this.#rounds.current);
    return this.#memory.layout.window(peer, this.#rounds.current);
  }

  receiveAll(): number {
    this.#rounds.waitForAll(this.#rounds.current);
    return this.#memory.layout.window(0, this.#rounds.current);
  }

  /**
   * Shows this rank's operand, which is at `own`, in its window, and returns once those of all ranks are there. The
   * operand has the call's length, which the kernel publishes with it.
   */
  offer(kernel: OfferKernel, own: number): void {
    this.#offer(kernel, this.#memory.layout.window(this.rank, this.#rounds.next), own);
  }

  /**
   * Does the same in a world of two by slots: this rank's operand goes to the slot that it received in the previous
   * call, which nobody else uses any more. Returns the slot that the other rank has filled.
   */
  exchange(kernel: OfferKernel, own: number): number {
    const { layout } = this.#memory;
    this.#slotTurn = this.#slotTurn === 0 ? 1 : 0;
    const isFirst = this.rank === this.#slotTurn;
    this.#offer(kernel, layout.slot(isFirst ? 0 : 1), own);
    return layout.slot(isFirst ? 1 : 0);
  }

  /** Publishes and receives in one kernel. `to` is free: `open` has waited for all, as a claim would. */
  #offer(kernel: OfferKernel, to: number, own: number): void {
    const { layout } = this.#memory;
    const rounds = this.#rounds;
    const call = this.#call!;
    this.#call = undefined;
    const published = layout.published(0);
    const header = layout.header(0, this.#collectives) - published;
    const { rank, worldSize } = this;
    const isMet =
      kernel(
        to,
        own,
        call.length!,
        published,
        header,
        layout.boardLine,
        rank,
        worldSize,
        signatureOf(call),
        rounds.next,
        rounds.kernelLooks,
      ) !== 0;
    rounds.wasPublished(isMet);
    if (isMet) return;
    rounds.waitForAll(rounds.current);
    this.#compareCalls();
  }

  /** Every rank compares all calls with its own, so if any two differ, every rank finds a difference. */
  #compareCalls(): void {
    for (let rank = 0; rank < this.worldSize; rank++) {
      if (!sameCall(this.#memory, this.#collectives, this.rank, rank)) throw this.#mismatch();
    }
  }

  #mismatch(): RingrankError {
    const callers = new Map<string, number[]>();
    for (let rank = 0; rank < this.worldSize; rank++) {
      const call = describeCall(this.#memory, this.#collectives, rank);
      callers.set(call, [...(callers.get(call) ?? []), rank]);
    }
    const calls = [...callers].map(
      ([call, ranks]) => `${ranks.length === 1 ? "rank" : "ranks"} ${ranks.join(", ")} called ${call}`,
    );
    return new RingrankError(
      "RR_MISMATCH",
      `expected every rank to call the same collective with the same type and lengths; ${calls.join("; ")}`,
    );
  }
}
