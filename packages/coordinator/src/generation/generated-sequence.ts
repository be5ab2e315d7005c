import type { StepRowResult } from "@ringrank/rank-worker";
import type { CheckedGenerateOptions } from "../options/generate-options.js";
import type { Piece, ScheduledSequence } from "../scheduler/scheduled-sequence.js";
import { StopStrings } from "./stop-strings.js";
import type { TokenStream } from "./token-stream.js";

/** Turns ids into text, one at a time; `last` also releases bytes that never became a character. */
export type Detokenize = (id: number, last: boolean) => Promise<string>;

export interface GeneratedSequenceOptions {
  readonly id: number;
  readonly prompt: readonly number[];
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

  constructor({ id, prompt, options, eosIds, maxContext, stream, detokenize }: GeneratedSequenceOptions) {
    this.id = id;
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
    if (!this.#stream.hasRoom) return undefined;
    if (this.#entered >= this.#prompt.length) {
      return { ids: [this.#stream.ids.at(-1)!], want: "token", sampling: this.#options.sampling };
    }
    const ids = this.#prompt.slice(this.#entered, this.#entered + limit);
    const isLast = this.#entered + ids.length === this.#prompt.length;
    return isLast ? { ids, want: "token", sampling: this.#options.sampling } : { ids, want: "nothing" };
  }

  async accept(piece: Piece, { token, logprob = Number.NaN }: StepRowResult): Promise<void> {
    this.#entered += piece.ids.length;
    if (token === undefined || this.ended) return;
    const isEos = this.#eosIds.includes(token);
    const isLast = isEos || this.#stream.ids.length + 1 >= this.#limit;
    const { text, stopped } = await this.#textOf(token, isEos, isLast);
    this.#stream.put({ id: token, text, logprob });
    if (isEos) this.#stream.finish("eos");
    else if (stopped) this.#stream.finish("stop");
    else if (isLast) this.#stream.finish("length");
  }

  fail(error: unknown): void {
    this.#stream.fail(error);
  }

  async #textOf(token: number, isEos: boolean, isLast: boolean): Promise<{ text: string; stopped: boolean }> {
    if (this.#detokenize === undefined) return { text: "", stopped: false };
    const raw = await this.#detokenize(token, isLast);
    const { text, stopped } = this.#stops.push(raw);
    return { text: isLast && !stopped ? text + this.#stops.flush() : text, stopped: stopped && !isEos };
  }
}
