/** The most ids that are decoded again with each new one, and how many of them are kept when that number is reached. */
const longestWindow = 12;
/**
 * A character has at most four bytes, so at most three tokens hold an incomplete one. One more before them is the
 * context that decides about a leading space.
 */
const keptWindow = 4;

const replacementCharacter = "\uFFFD";

/**
 * Converts token ids to text as they arrive. A token's text depends on its neighbours: one character may span several
 * byte-level tokens, and the first token of a text may lose its leading space. So the last few ids are decoded together
 * each time, and the new part of their text is returned, except a final U+FFFD, which may be the beginning of a
 * character. Ids without text, such as special tokens that are skipped, are not included: a row of them would push out
 * all neighbours. The concatenated output equals the result of decoding all ids at once.
 */
export class TokenStream {
  readonly #decode: (ids: readonly number[]) => string;
  readonly #hasText: (id: number) => boolean;
  #window: number[] = [];
  /** How much of the window's text has been returned, in UTF-16 units. */
  #given = 0;
  #isWhole = true;

  /**
   * @param decode returns the text of a sequence of ids, with U+FFFD for bytes that are not UTF-8
   * @param hasText returns false for an id that `decode` skips
   */
  constructor(decode: (ids: readonly number[]) => string, hasText: (id: number) => boolean) {
    this.#decode = decode;
    this.#hasText = hasText;
  }

  /** Whether all text has been returned: no character is incomplete. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The text that this token completes; `""` while a character is incomplete. */
  push(id: number): string {
    if (!this.#hasText(id)) return "";
    this.#window.push(id);
    const text = this.#decode(this.#window);
    const complete = completePart(text);
    this.#isWhole = complete.length === text.length;
    const piece = this.#give(complete);
    if (this.#window.length === longestWindow) {
      this.#window = this.#window.slice(-keptWindow);
      this.#given = completePart(this.#decode(this.#window)).length;
    }
    return piece;
  }

  /** The remaining text at the end of the sequence: U+FFFD for a character that stayed incomplete. */
  flush(): string {
    this.#isWhole = true;
    return this.#give(this.#decode(this.#window));
  }

  #give(text: string): string {
    const piece = text.slice(this.#given);
    this.#given += piece.length;
    return piece;
  }
}

function completePart(text: string): string {
  return text.endsWith(replacementCharacter) ? text.slice(0, -1) : text;
}
