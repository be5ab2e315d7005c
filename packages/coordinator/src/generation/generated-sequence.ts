import type { SamplingParameters, StepRowResult } from "@ringrank/rank-worker";
import type { CheckedGenerateOptions } from "../options/generate-options.js";
import type { Piece, ScheduledSequence } from "../scheduler/scheduled-sequence.js";
import type { FinishReason, GeneratedToken } from "./generation.js";
import type { GenerationStream } from "./generation-stream.js";
import { StopStrings } from "./stop-strings.js";

/**
 * Turns ids into text, one at a time, synchronously if possible. With `last`, also releases bytes that never became a
 * character.
 */
export type Detokenize = (id: number, last: boolean) => string | Promise<string>;

export interface GeneratedSequenceOptions {
  readonly id: number;
  /** The tokens that the cache starts with: the decoder prompt if there is a source. */
  readonly prompt: readonly number[];
  readonly source: readonly number[] | undefined;
  readonly options: CheckedGenerateOptions;
  readonly eosIds: readonly number[];
  /** One of these is chosen if the text reaches its maximum length. Empty if any token may come last. */
  readonly forcedEosIds: readonly number[];
  readonly maxContext: number | undefined;
  readonly stream: GenerationStream;
  /** Absent if the model has no tokenizer; texts are then empty. */
  readonly detokenize: Detokenize | undefined;
}

/** A generation as the scheduler sees it: its prompt in chunks, then one token after the other. */
export class GeneratedSequence implements ScheduledSequence {
  readonly id: number;
  readonly source: readonly number[] | undefined;
  readonly prompt: readonly number[];
  readonly #sampling: SamplingParameters;
  readonly #endIds: readonly number[];
  /** How many tokens may be generated. The last one need not fit the context, because it never enters the cache. */
  readonly #limit: number;
  readonly #stream: GenerationStream;
  readonly #detokenize: Detokenize | undefined;
  readonly #stops: StopStrings;
  /** Number of prompt tokens that are in the cache or have been sent. */
  #entered = 0;
  /** Generated tokens that are in the cache. */
  readonly #continued: number[] = [];
  /** The token chosen last, which enters the cache with the next one's step. */
  #chosen: number | undefined;
  /** Number of tokens that have been generated or requested. */
  #asked = 0;
  #generated = 0;
  /** Why no token follows the last one. Its text may still be pending. */
  #finish: FinishReason | undefined;
  /** Number of tokens whose text is pending. */
  #undelivered = 0;
  /** Delivers tokens in order, whatever the order in which their texts arrive. */
  #delivered: Promise<void> = Promise.resolve();

  constructor({
    id,
    prompt,
    source,
    options,
    eosIds,
    forcedEosIds,
    maxContext,
    stream,
    detokenize,
  }: GeneratedSequenceOptions) {
    this.id = id;
    this.source = source;
    this.prompt = prompt;
    this.#endIds = options.ignoreEos ? [] : eosIds;
    const room = (maxContext ?? Number.POSITIVE_INFINITY) - prompt.length + 1;
    this.#limit = Math.min(options.maxNewTokens, room);
    const forcesEnd = forcedEosIds.length > 0 && !options.ignoreEos;
    const forcedEnd = { position: prompt.length + this.#limit - 1, ids: forcedEosIds };
    this.#sampling = forcesEnd ? { ...options.sampling, forcedEnd } : options.sampling;
    this.#stream = stream;
    this.#detokenize = detokenize;
    this.#stops = new StopStrings(options.stop);
  }

  get ended(): boolean {
    return this.#stream.ended;
  }

  get isComplete(): boolean {
    return this.#finish !== undefined || this.#asked >= this.#limit;
  }

  get mostEntered(): number {
    // The token asked for last enters with the next one's step.
    return this.#entered + Math.max(0, this.#asked - 1);
  }

  get entered(): readonly number[] {
    return [...this.prompt.slice(0, this.#entered), ...this.#continued];
  }

  next(limit: number, prefix: number): Piece | undefined {
    if (this.isComplete || !this.#stream.hasRoom) return undefined;
    const entered = Math.max(this.#entered, prefix);
    if (entered >= this.prompt.length) return { want: "next" };
    const ids = this.prompt.slice(entered, entered + limit);
    const isLast = entered + ids.length === this.prompt.length;
    if (!isLast) return { ids, want: "nothing", promptLength: this.prompt.length };
    return { ids, want: "token", sampling: this.#sampling, endIds: this.#endIds };
  }

  sent(piece: Piece, prefix: number): void {
    if (prefix > 0) {
      this.#entered = prefix;
      this.#stream.reuse(prefix);
    }
    if (piece.want !== "next") this.#entered += piece.ids.length;
    if (piece.want === "nothing") return;
    this.#asked++;
    this.#stream.announce();
  }

  accept(piece: Piece, { token, logprob = Number.NaN }: StepRowResult): void {
    if (piece.want === "nothing") return;
    // This token was requested before it was known that the previous one was the last.
    if (token === undefined) return;
    if (this.#chosen !== undefined) this.#continued.push(this.#chosen);
    this.#chosen = token;
    if (this.ended) return;
    this.#generated++;
    if (this.#endIds.includes(token)) this.#finish = "eos";
    else if (this.#generated >= this.#limit) this.#finish = "length";
    const finish = this.#finish;
    const text = this.#detokenize?.(token, finish !== undefined) ?? "";
    if (typeof text === "string" && this.#undelivered === 0) {
      this.#deliver({ id: token, text, logprob }, finish);
      return;
    }
    this.#undelivered++;
    this.#delivered = Promise.all([text, this.#delivered]).then(
      ([raw]) => {
        this.#undelivered--;
        this.#deliver({ id: token, text: raw, logprob }, finish);
      },
      (error) => this.fail(error),
    );
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
