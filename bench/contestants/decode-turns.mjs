import { growth } from "./prompts.mjs";

/**
 * The number of untimed tokens at the beginning of each contestant's turn: streams run ahead of their readers, so these
 * may have been computed before the turn, and the caches have been used by other contestants in the meantime.
 */
export const ahead = 3;

/**
 * Decode turns of a contestant that streams tokens. They all continue one stream, since filling a long context takes as
 * long as many turns; a new stream begins if the context has grown too far.
 */
export class DecodeTurns {
  #begin;
  /** `{ context, grown, tokens }` */
  #running;

  /** @param begin returns an async iterator of new tokens after a prompt of `context` tokens */
  constructor(begin) {
    this.#begin = begin;
  }

  /** Returns the milliseconds per token of `tokens` steps after a prompt of `context` tokens. */
  async take(context, tokens) {
    if (this.#running?.context !== context || this.#running.grown + ahead + tokens > growth) {
      await this.end();
      this.#running = { context, grown: 1, tokens: await this.#begin(context) };
      await this.#running.tokens.next();
    }
    const { tokens: stream } = this.#running;
    this.#running.grown += ahead + tokens;
    for (let i = 0; i < ahead; i++) await stream.next();
    const start = performance.now();
    for (let i = 0; i < tokens; i++) await stream.next();
    return (performance.now() - start) / tokens;
  }

  async end() {
    await this.#running?.tokens.return();
    this.#running = undefined;
  }
}
