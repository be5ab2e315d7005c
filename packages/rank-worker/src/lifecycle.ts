import { RingrankError } from "@ringrank/errors";

/**
 * How ranks stop before the process does. A thread that is ended inside ONNX Runtime's native code aborts the
 * whole process; one that waits in `Atomics.wait` or runs JavaScript may be ended safely.
 *
 * ```
 * int32 words   0      1        2              worldSize
 *             ┌──────┬────────┬────────┬─────┬────────┐
 *             │ stop │ rank 0 │ rank 1 │  …  │ rank n │   stop: 1 once the process wants to end
 *             └──────┴────────┴────────┴─────┴────────┘   rank: 1 inside native code, 0 outside
 * ```
 *
 * Each side writes its own word and then reads the other's (Dekker, "Solution of a problem in concurrent
 * programming control", 1965): a rank sets its word, then looks at `stop`; the process sets `stop`, then looks at
 * the ranks' words. Atomics are sequentially consistent, so at least one of the two sees the other, and no rank
 * enters after the process has seen it outside.
 */
const STOP = 0;
const FIRST_RANK = 1;
const OUTSIDE = 0;
const INSIDE = 1;

/** The process's side: made once per group, its `buffer` given to every rank. */
export class Lifecycle {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(worldSize: number) {
    this.buffer = new SharedArrayBuffer((FIRST_RANK + worldSize) * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.buffer);
  }

  /** From now on no rank enters native code. Safe in an `exit` listener; never undone. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /**
   * After {@link stop}, blocks this thread until every rank is outside native code, at most `timeoutMs`. For `exit` listeners, the one
   * place where the main thread may block.
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

/** A rank's side: every native call is made between {@link enter} and {@link leave}. */
export class NativeGate {
  readonly #words: Int32Array;
  readonly #word: number;

  constructor(buffer: SharedArrayBuffer, rank: number) {
    this.#words = new Int32Array(buffer);
    this.#word = FIRST_RANK + rank;
  }

  /** @throws RR_CLOSED once the process wants to end; the rank must then stay out of native code. */
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
    // Nobody waits before the process wants to end, and to wake nobody costs a call of the engine's runtime.
    if (this.stopped) Atomics.notify(this.#words, this.#word);
  }

  /** Runs one native call, whether it ends at once or as a promise. */
  async inside<T>(call: () => T | Promise<T>): Promise<T> {
    this.enter();
    try {
      return await call();
    } finally {
      this.leave();
    }
  }
}
