import type { FinishReason, GeneratedToken, Generation, GenerationResult } from "./generation.js";

interface Reader {
  readonly resolve: (result: IteratorResult<GeneratedToken, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

const done = { done: true, value: undefined } as const;

/** A {@link Generation} from the inside: the scheduler puts tokens in, and the reader takes them out. */
export class GenerationStream implements Generation {
  readonly #undelivered: GeneratedToken[] = [];
  /** `next()` calls that wait for a token. */
  readonly #readers: Reader[] = [];
  readonly #ids: number[] = [];
  readonly #result: Promise<GenerationResult>;
  #settle!: { resolve: (result: GenerationResult) => void; reject: (reason: unknown) => void };
  #text = "";
  #promptTokens = 0;
  #cachedTokens = 0;
  #ended = false;
  /** Number of tokens that are being computed, or whose text is pending. */
  #coming = 0;
  #failure: { readonly reason: unknown } | undefined;
  #resultWanted = false;
  #onChange: () => void = () => {};

  constructor() {
    this.#result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A caller that only iterates gets the error there.
    this.#result.catch(() => {});
  }

  get result(): Promise<GenerationResult> {
    this.#resultWanted = true;
    this.#onChange();
    return this.#result;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<GeneratedToken> {
    const iterator: AsyncIterableIterator<GeneratedToken> = {
      next: () => this.#next(),
      return: async () => {
        this.#leave();
        return done;
      },
      throw: async (reason: unknown) => {
        this.#leave();
        throw reason;
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Whether one more token may be computed: all others have been delivered, or a reader is already waiting for them.
   * If the result is wanted there is always room, since a reader who waits for it takes no more tokens until then.
   */
  get hasRoom(): boolean {
    return this.#resultWanted || this.#undelivered.length + this.#coming <= this.#readers.length;
  }

  /** Sets the number of prompt tokens, and the function to call when the stream has room again or has ended. */
  begin(promptTokens: number, onChange: () => void): void {
    this.#promptTokens = promptTokens;
    this.#onChange = onChange;
  }

  /** Sets the number of prompt tokens that need not be computed. */
  reuse(tokens: number): void {
    this.#cachedTokens = tokens;
  }

  /** Calls `listener` once the stream has ended, however it ends. */
  onEnd(listener: () => void): void {
    this.#result.then(listener, listener);
  }

  /** Announces that a token is being computed. {@link put} delivers it, unless the previous one was the last. */
  announce(): void {
    this.#coming++;
  }

  put(token: GeneratedToken): void {
    this.#coming--;
    if (this.#ended) return;
    this.#ids.push(token.id);
    this.#text += token.text;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#undelivered.push(token);
    else reader.resolve({ done: false, value: token });
  }

  /** Ends the text. Undelivered tokens can still be read. */
  finish(finishReason: FinishReason): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader.resolve(done);
    this.#settle.resolve({
      text: this.#text,
      ids: this.#ids,
      finishReason,
      usage: {
        promptTokens: this.#promptTokens,
        cachedTokens: this.#cachedTokens,
        completionTokens: this.#ids.length,
      },
    });
    this.#onChange();
  }

  /** Ends the text at once with an error, or with the reason of an abort. Undelivered tokens are dropped. */
  fail(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#undelivered.length = 0;
    const readers = this.#readers.splice(0);
    for (const reader of readers) reader.reject(reason);
    // An iterator throws once, and is then finished.
    if (readers.length === 0) this.#failure = { reason };
    this.#settle.reject(reason);
    this.#onChange();
  }

  /** Nothing is left to read, even if it had ended before. */
  #leave(): void {
    this.finish("abort");
    this.#undelivered.length = 0;
    this.#failure = undefined;
  }

  async #next(): Promise<IteratorResult<GeneratedToken, undefined>> {
    const token = this.#undelivered.shift();
    if (token !== undefined) {
      this.#onChange();
      return { done: false, value: token };
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      throw reason;
    }
    if (this.#ended) return done;
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      // There may be room again, for the token after one whose text is pending.
      this.#onChange();
    });
  }
}
