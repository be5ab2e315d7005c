/**
 * The layout of a group's memory, and which word publishes which bytes.
 *
 * ```
 *  ┌ poison ──────────────────────────────────────────────────────────┐  128 B   0, or 1 + the message slot with
 *  │ word                                                             │          the first cause
 *  ├ gate ────────────────────────────────────────────────────────────┤  128 B   moved by the last rank to arrive, if
 *  │ openings │ sleepers                                              │          any rank sleeps until all have
 *  ├ board, one line per rank ────────────────────────────────────────┤  128 B × N
 *  │ published │ sleepers │ progress │ waitingFor │ joined │ headers  │          headers: the rank's call in
 *  ├ counts, two lists per rank ──────────────────────────────────────┤          collective c even │ odd, see call.ts
 *  │ rank 0: c even │ odd                 rank 1: even │ odd      …   │          the header's list, if it has one
 *  ├ messages, one per rank and one for the host ─────────────────────┤  4 KiB × (N + 1)
 *  │ length, JSON in UTF-8                                            │
 *  ├ blocks, two per rank ────────────────────────────────────────────┤  2 × windowBytes × N
 *  │ rank 0: operand │ result             rank 1: operand │ result …  │          private to each rank
 *  ├ windows, two per rank ───────────────────────────────────────────┤  2 × windowBytes × N
 *  │ rank 0: round even │ odd             rank 1: even │ odd      …   │  elements in transit
 *  ├ slots, two, in a world of 2 ─────────────────────────────────────┤  256 KiB × 2
 *  │ slot 0                               slot 1                      │  short messages in transit, see swap.ts
 *  └──────────────────────────────────────────────────────────────────┘
 * ```
 *
 * **No block, window or slot starts at a page boundary.** A memcpy between local arrays and this memory falls to a
 * seventh of its speed if its target is 1 to 31 bytes after its source, modulo the page size of 4 KiB. This happens on
 * Zen 3 and 4 with an older glibc (its bug 30994). The system places large arrays 16 bytes after a page boundary, so
 * whole large arrays never have this offset. Of small arrays, one in 256 does, as in any copy between two arrays.
 *
 * **Rounds.** Every collective consists of rounds, the same number on every rank. In round k, a rank writes its window
 * `k mod 2` and then stores k in its `published` word. A reader first loads that word (sequentially consistent, like
 * all Atomics), and reads the window only if the word is k or later: the store publishes all bytes written before it.
 * In the first round of a collective, the same store publishes the header, and every rank waits for all others. The
 * header is in the same cache line as the word that publishes it, so that both cross from core to core together.
 * Weakly ordered processors keep these orders too: a store by Atomics comes after all reads and writes before it, and
 * a load before all after it. No plain read or write relies on any other order.
 *
 * **When a window is free again.** A rank publishes round k+1 only after it has read everything it needs from round k.
 * So a rank that has published k−1 has released every window of round k−2, and a rank may write its window of round k
 * (which was that of k−2) once all its readers have published k−1:
 *
 * ```
 *  writer      window 0: round k−2 │ window 1: round k−1 │ window 0: round k
 *  reader      reads round k−2 ───▶ publishes k−1 ────────▶ ▲ only now
 * ```
 *
 * The readers are all ranks for one-shot and two-shot (which waited for all in round k−1 anyway), and the next rank for
 * the ring. When a collective starts, any rank may be a reader of the previous one, so it starts by waiting for all.
 *
 * **When a header is free again.** Headers and counts alternate by collective, not by round. A rank reads those of c
 * before it publishes a round of c+1, and c+2 starts when all have published the last round of c+1. A rank that leaves
 * waits for nobody. But it has finished some c, of which all have published the first round, so it may replace its
 * header of c−1.
 *
 * **No ABA problem.** `published` only counts up, by one, and ranks are at most N rounds apart (in a ring, no rank gets
 * more than one ahead of its neighbours). So comparing `(a − b) | 0` with 0 is correct even after the 32-bit counter has
 * wrapped around.
 *
 * **Poison.** A message slot has one writer. It fills its own slot, then exchanges the poison word from 0. The first
 * writer wins, and a poison word other than 0 always refers to a complete message. It never returns to 0.
 */
export class GroupLayout {
  /** Total, in bytes. */
  readonly bytes: number;
  readonly windowBytes: number;
  readonly #counts: number;
  readonly #countsBytes: number;
  readonly #messages: number;
  readonly #blocks: number;
  readonly #blockBytes: number;
  readonly #windows: number;
  readonly #slots: number;

  constructor(worldSize: number, windowBytes: number) {
    this.windowBytes = windowBytes;
    this.#counts = lineBytes * (linesOfAll + worldSize);
    this.#countsBytes = roundUp(worldSize * 4, lineBytes);
    this.#messages = this.#counts + 2 * worldSize * this.#countsBytes;
    const blocks = this.#messages + messageBytes * (worldSize + 1);
    this.#blocks = blocks % pageBytes === 0 ? blocks + lineBytes : blocks;
    this.#blockBytes = roundUp(windowBytes, lineBytes);
    this.#windows = this.#blocks + 2 * worldSize * this.#blockBytes;
    this.#slots = this.#windows + 2 * worldSize * windowBytes;
    this.bytes = this.#slots + (worldSize === 2 ? 2 * slotBytes : 0);
  }

  // Indices of 32-bit words.

  get poison(): number {
    return 0;
  }
  /** Counts how often sleepers were woken at the gate. */
  get gate(): number {
    return lineWords;
  }
  /** How many ranks sleep on {@link gate}. */
  get gateSleepers(): number {
    return lineWords + 1;
  }
  /** The last round whose window (and header) the rank has finished writing. */
  published(rank: number): number {
    return (linesOfAll + rank) * lineWords;
  }
  /** How many ranks sleep on `published(rank)`; if none do, nobody needs to be woken. */
  sleepers(rank: number): number {
    return (linesOfAll + rank) * lineWords + 1;
  }
  /** Incremented by {@link Communicator.progress}. */
  progress(rank: number): number {
    return (linesOfAll + rank) * lineWords + 2;
  }
  /** 1 + the rank that this rank sleeps for, 0 while it works. */
  waitingFor(rank: number): number {
    return (linesOfAll + rank) * lineWords + 3;
  }
  /** 1 once a thread has joined as this rank. */
  joined(rank: number): number {
    return (linesOfAll + rank) * lineWords + 4;
  }
  /** {@link headerWords} words. */
  header(rank: number, collective: number): number {
    return (linesOfAll + rank) * lineWords + 5 + (collective & 1) * headerWords;
  }
  /** One word per rank. */
  counts(rank: number, collective: number): number {
    return (this.#counts + (2 * rank + (collective & 1)) * this.#countsBytes) / 4;
  }
  /** As many elements as a window; so has {@link result}. */
  operand(rank: number): number {
    return (this.#blocks + 2 * rank * this.#blockBytes) / 4;
  }
  result(rank: number): number {
    return (this.#blocks + (2 * rank + 1) * this.#blockBytes) / 4;
  }
  /** From a rank's words on the board to those of the next one. */
  get boardLine(): number {
    return lineWords;
  }
  /** Also the index of an element, which has 4 bytes too. */
  window(rank: number, round: number): number {
    return (this.#windows + (2 * rank + (round & 1)) * this.windowBytes) / 4;
  }
  /** Elements from a rank's window to that of the next one, in the same round. */
  get windowStride(): number {
    return (2 * this.windowBytes) / 4;
  }
  /** Also an element index. Only in a world of 2. */
  slot(slot: 0 | 1): number {
    return (this.#slots + slot * slotBytes) / 4;
  }

  /** Byte offset. Slot `worldSize` is the host's. */
  message(slot: number): number {
    return this.#messages + slot * messageBytes;
  }
}

/** Bytes of a message slot, including its length word. */
export const messageBytes = 4096;

/** Bytes of a slot. Two ranks share the work of longer messages (algorithms/choose.ts). */
const slotBytes = 262_144;
/** Elements of a slot. */
export const slotLength = slotBytes / 4;

/** Words of a header. */
const headerWords = 2;

/** Bytes of a memory page. */
const pageBytes = 4096;

/** Two cache lines, because processors fetch lines in pairs, and a rank writes its line while others spin on theirs. */
const lineBytes = 128;
const lineWords = lineBytes / 4;
/** Lines before the board: poison and gate. */
const linesOfAll = 2;

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
