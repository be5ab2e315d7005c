/** A piece of text that may be shown, and whether a stop string followed it. */
export interface Released {
  readonly text: string;
  readonly stopped: boolean;
}

/**
 * Holds back text that may be the beginning of a stop string until that is clear. The result does not depend on how the
 * text is cut into pieces: it is everything before the stop string that is completed first, or before the longest if
 * several are.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  push(text: string): Released {
    this.#held += text;
    const stop = this.#firstStop();
    if (stop !== undefined) return { text: this.#release(stop), stopped: true };
    return { text: this.#release(this.#held.length - this.#possibleBeginning()), stopped: false };
  }

  /** The text that is still held back at the end, if there was no stop string. */
  flush(): string {
    return this.#release(this.#held.length);
  }

  #release(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }

  /** The index at which the stop string starts. */
  #firstStop(): number | undefined {
    const found = this.#stops
      .map((stop) => ({ start: this.#held.indexOf(stop), length: stop.length }))
      .filter(({ start }) => start >= 0);
    found.sort((a, b) => a.start + a.length - (b.start + b.length) || a.start - b.start);
    return found[0]?.start;
  }

  /** Length of the longest tail of the text that a stop string starts with. */
  #possibleBeginning(): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, this.#held.length); length > 0; length--) {
      const tail = this.#held.slice(this.#held.length - length);
      if (this.#stops.some((stop) => stop.startsWith(tail))) return length;
    }
    return 0;
  }
}
