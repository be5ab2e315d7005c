import type { StepRowResult } from "@ringrank/rank-worker";
import type { CheckedGenerateOptions } from "../options/generate-options.js";
import type { Piece, ScheduledSequence } from "../scheduler/scheduled-sequence.js";
import type { FinishReason, GeneratedToken } from "./generation.js";
import { StopStrings } from "./stop-strings.js";
import type { TokenStream } from "./token-stream.js";

/**
 * Turns ids into text, one at a time; `last` also releases bytes that never became a character.
 */
export type Detokenize = (id: number, last: boolean) => Promise<string>;

export interface GeneratedSequenceOptions {
  readonly id: number;
  /** What the cache begins with: a decoder's own beginning where there is a source. */
  readonly prompt: readonly number[];
  readonly source: readonly number[] | undefined;
  readonly options: CheckedGenerateOptions;
  readonly eosIds: readonly number[];
  readonly maxContext: number | undefined;
  readonly stream: TokenStream;
  /** Absent where the model has no tokenizer: texts are then empty. */
  readonly detokenize: Detokenize | undefined;
}

/** One generation as the scheduler sees it: its prompt in chunks, then one token after the other. */
export class GeneratedSequence implements ScheduledSequence {
  readonly id: number;
  readonly source: readonly number[] | undefined;
  readonly #prompt: readonly number[];
  readonly #options: CheckedGenerateOptions;
  readonly #eosIds: readonly number[];
  /** How many tokens may be generated. The last one need not fit the context, since it never enters. */
  readonly #limit: number;
  readonly #stream: TokenStream;
  readonly #detokenize: Detokenize | undefined;
  readonly #stops: StopStrings;
  /** Tokens that have entered the cache. */
  #entered = 0;
  #generated = 0;
  /** The token chosen last: the one that enters next. */
  #last = 0;
  /** Why no token comes after the last one; its text may still be on its way. */
  #finish: FinishReason | undefined;
  /** Tokens are delivered in order, however their texts arrive. */
  #delivered: Promise<void> = Promise.resolve();

  constructor({
    id,
    prompt,
    source,
    options,
    eosIds,
    maxContext,
    stream,
    detokenize,
  }: GeneratedSequenceOptions) {
    this.id = id;
    this.source = source;
    this.#prompt = prompt;
    this.#options = options;
    this.#eosIds = options.ignoreEos ? [] : eosIds;
    const room = (maxContext ?? Number.POSITIVE_INFINITY) - prompt.length + 1;
    this.#limit = Math.min(options.maxNewTokens, room);
    this.#stream = stream;
    this.#detokenize = detokenize;
    this.#stops = new StopStrings(options.stop);
  }

  get ended(): boolean {
    return this.#stream.ended;
  }

  next(limit: number): Piece | undefined {
    if (this.#finish !== undefined || !this.#stream.hasRoom) return undefined;
    const { sampling } = this.#options;
    if (this.#entered >= this.#prompt.length) return { ids: [this.#last], want: "token", sampling };
    const ids = this.#prompt.slice(this.#entered, this.#entered + limit);
    const isLast = this.#entered + ids.length === this.#prompt.length;
    return isLast ? { ids, want: "token", sampling } : { ids, want: "nothing" };
  }

  async accept(piece: Piece, { token, logprob = Number.NaN }: StepRowResult): Promise<void> {
    this.#entered += piece.ids.length;
    if (token === undefined || this.ended) return;
    this.#generated++;
    this.#last = token;
    if (this.#eosIds.includes(token)) this.#finish = "eos";
    else if (this.#generated >= this.#limit) this.#finish = "length";
    this.#stream.announce();
    const finish = this.#finish;
    const text = this.#detokenize?.(token, finish !== undefined) ?? "";
    this.#delivered = Promise.all([text, this.#delivered]).then(
      ([raw]) => this.#deliver({ id: token, text: raw, logprob }, finish),
      (error) => this.fail(error),
    );
    // Only a stop string can end the text by what it says; otherwise the next step need not wait for it.
    if (this.#options.stop.length > 0) await this.#delivered;
  }

  fail(error: unknown): void {
    this.#stream.fail(error);
  }

  #deliver(token: GeneratedToken, finish: FinishReason | undefined): void {
    const { text, stopped } = this.#stops.push(token.text);
    const held = finish === undefined || stopped ? "" : this.#stops.flush();
    this.#stream.put({ ...token, text: text + held });
    if (stopped) this.#stream.finish("stop");
    else if (finish !== undefined) this.#stream.finish(finish);
  }
}
