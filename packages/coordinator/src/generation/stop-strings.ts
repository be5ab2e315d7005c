/** A piece of text that may be shown, and whether a stop string came after it. */
export interface Released {
  readonly text: string;
  readonly stopped: boolean;
}

/**
 * Holds back what may be the beginning of a stop string until it is clear whether it is one. However a text is cut
 * into pieces, the same text comes out: all before the earliest stop string.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  push(text: string): Released {
    this.#held += text;
    const end = this.#earliestStop();
    if (end !== undefined) return { text: this.#release(end), stopped: true };
    return { text: this.#release(this.#held.length - this.#possibleBeginning()), stopped: false };
  }

  /** What is still held back, at the end of a text without a stop string. */
  flush(): string {
    return this.#release(this.#held.length);
  }

  #release(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }

  #earliestStop(): number | undefined {
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    return found.length === 0 ? undefined : Math.min(...found);
  }

  /** Length of the longest tail that a stop string begins with. */
  #possibleBeginning(): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, this.#held.length); length > 0; length--) {
      const tail = this.#held.slice(this.#held.length - length);
      if (this.#stops.some((stop) => stop.startsWith(tail))) return length;
    }
    return 0;
  }
}
