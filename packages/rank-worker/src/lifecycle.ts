import { RingrankError } from "@ringrank/errors";

/**
 * Stops ranks before the process ends. Terminating a thread inside ONNX Runtime's native code aborts the whole process.
 * A thread that waits in `Atomics.wait` or runs JavaScript can be terminated safely.
 *
 * ```
 * int32 words   0      1        2              worldSize
 *             ┌──────┬────────┬────────┬─────┬────────┐
 *             │ stop │ rank 0 │ rank 1 │  …  │ rank n │   stop: 1 once the process wants to end
 *             └──────┴────────┴────────┴─────┴────────┘   rank: 1 inside native code, 0 outside
 * ```
 *
 * Each side writes its own word and then reads the other's (Dekker, "Solution of a problem in concurrent programming
 * control", 1965): a rank sets its word, then reads `stop`; the process sets `stop`, then reads the ranks' words.
 * Atomics are sequentially consistent, so at least one of the two sees the other, and no rank enters after the process
 * has seen it outside.
 */
const STOP = 0;
const FIRST_RANK = 1;
const OUTSIDE = 0;
const INSIDE = 1;

/** The process's side. Created once per group; its `buffer` is passed to every rank. */
export class Lifecycle {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(worldSize: number) {
    this.buffer = new SharedArrayBuffer((FIRST_RANK + worldSize) * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.buffer);
  }

  /**
   * Prevents all ranks from entering native code from now on. Can be called in an `exit` listener; cannot be undone.
   */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /**
   * After {@link stop}, blocks this thread until every rank is outside native code, for at most `timeoutMs`. For `exit`
   * listeners, the only place where the main thread may block.
   *
   * @returns whether all ranks are outside
   */
  waitUntilOutside(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs;
    for (let word = FIRST_RANK; word < this.#words.length; word++) {
      while (Atomics.load(this.#words, word) === INSIDE) {
        const left = deadline - performance.now();
        if (left <= 0) return false;
        Atomics.wait(this.#words, word, INSIDE, left);
      }
    }
    return true;
  }
}

/** A rank's side. Every native call is made between {@link enter} and {@link leave}. */
export class NativeGate {
  readonly #words: Int32Array;
  readonly #word: number;

  constructor(buffer: SharedArrayBuffer, rank: number) {
    this.#words = new Int32Array(buffer);
    this.#word = FIRST_RANK + rank;
  }

  /** @throws RR_CLOSED once the process wants to end; the rank must then stay out of native code */
  enter(): void {
    Atomics.store(this.#words, this.#word, INSIDE);
    if (Atomics.load(this.#words, STOP) === 0) return;
    this.leave();
    throw new RingrankError("RR_CLOSED", "the process is ending, so this rank has stopped");
  }

  /** Whether the process wants to end. */
  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  leave(): void {
    Atomics.store(this.#words, this.#word, OUTSIDE);
    // Nobody waits before the process wants to end, and waking nobody would cost a call into the engine's runtime.
    if (this.stopped) Atomics.notify(this.#words, this.#word);
  }

  /** Runs one native call, synchronous or asynchronous. */
  async inside<T>(call: () => T | Promise<T>): Promise<T> {
    this.enter();
    try {
      return await call();
    } finally {
      this.leave();
    }
  }
}
