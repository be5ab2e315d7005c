import { growth } from "./prompts.mjs";

/**
 * Tokens at the beginning of a turn that are not timed, of any contestant: streams are ahead of their readers, so these
 * may have been made before the turn began, and the others had the caches until then.
 */
export const ahead = 3;

/**
 * Decode turns of a contestant that streams tokens. All go on with one stream, since filling a long context takes as
 * long as many turns; it begins anew where the context has grown too far.
 */
export class DecodeTurns {
  #begin;
  /** `{ context, grown, tokens }` */
  #running;

  /** @param begin makes an async iterator of new tokens behind a prompt of `context` tokens */
  constructor(begin) {
    this.#begin = begin;
  }

  /** Milliseconds a token of `tokens` steps, behind a prompt of `context` tokens. */
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
