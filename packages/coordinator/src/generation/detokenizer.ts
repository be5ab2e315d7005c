/** What the text thread makes of a token. */
export interface TokenText {
  /** The text that is complete with it. */
  readonly text: string;
  /** Whether no character is incomplete, and the tokens from here on add to a text what they add to any. */
  readonly isSettled: boolean;
}

/**
 * Texts of tokens that add the same text wherever they stand, as the text thread has given them. One for all
 * generations of a model: after some hundred tokens most are known, and need no round trip to another thread,
 * which would be a third busy one where two ranks have two cores. The tokenizer itself stays there, since loading one
 * takes longer than the caller's thread may be held up.
 */
export type KnownTexts = Map<number, string>;

/** Turns the ids of one generation into text: those that are known at once, others on the text thread. */
export class Detokenizer {
  readonly #known: KnownTexts;
  readonly #ask: (id: number, last: boolean) => Promise<TokenText>;
  #asking = 0;
  /** Whether the next token adds its own text. The first never does: some tokenizers strip a space there. */
  #isSettled = false;

  constructor(known: KnownTexts, ask: (id: number, last: boolean) => Promise<TokenText>) {
    this.#known = known;
    this.#ask = ask;
  }

  /** The text that is complete with this token, in the order of the calls; with `last`, also what is left. */
  push(id: number, last: boolean): string | Promise<string> {
    const isItsOwn = this.#isSettled && this.#asking === 0;
    return (isItsOwn ? this.#known.get(id) : undefined) ?? this.#askFor(id, last, isItsOwn);
  }

  async #askFor(id: number, last: boolean, isItsOwn: boolean): Promise<string> {
    this.#asking++;
    const { text, isSettled } = await this.#ask(id, last);
    this.#asking--;
    if (isItsOwn && isSettled) this.#known.set(id, text);
    this.#isSettled = isSettled && (this.#isSettled || text !== "");
    return text;
  }
}
