/** The text thread's answer for one token. */
export interface TokenText {
  /** The text that this token completes. */
  readonly text: string;
  /** Whether no character is incomplete, and following tokens add the same text as they would in any context. */
  readonly isSettled: boolean;
}

/**
 * Texts of tokens that add the same text in any context, as returned by the text thread. Shared by all generations of a
 * model. After a few hundred tokens, most are known and need no round trip to the text thread, which would be a third
 * busy thread when two ranks have two cores. The tokenizer itself stays there, since loading it takes longer than the
 * caller's thread may be blocked.
 */
export type KnownTexts = Map<number, string>;

/** Turns the ids of one generation into text: known ones at once, others on the text thread. */
export class Detokenizer {
  readonly #known: KnownTexts;
  readonly #ask: (id: number, last: boolean) => Promise<TokenText>;
  #asking = 0;
  /** Whether the next token adds its usual text. The first never does: some tokenizers strip a space there. */
  #isSettled = false;

  constructor(known: KnownTexts, ask: (id: number, last: boolean) => Promise<TokenText>) {
    this.#known = known;
    this.#ask = ask;
  }

  /** The text that this token completes, in the order of the calls; with `last`, also any remaining text. */
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
