import { RingrankError, show } from "@ringrank/errors";
import type { StepRowResult } from "@ringrank/rank-worker";
import { checkIds, checkLength } from "./inputs/inputs.js";
import type { TokenLimits } from "./model-facts.js";
import type { Piece, ScheduledSequence } from "./scheduler/scheduled-sequence.js";
import type { TensorOf } from "./tensor.js";

/** The result of {@link Sequence.append}: float32 logits `[appended tokens, vocabulary]`. */
export interface Appended {
  readonly logits: TensorOf<"float32">;
}

export interface SequenceOptions {
  /** Token ids that the encoder of an encoder–decoder reads, once. Required there, and `RR_OPTION` for other models. */
  readonly source?: readonly number[] | undefined;
}

/**
 * A sequence that the caller controls, kept in the KV cache: for scoring given tokens, for custom samplers, for tests.
 * Sequences share decode steps with generations.
 */
export interface Sequence {
  /** Number of tokens in the cache. */
  readonly length: number;
  /**
   * Appends tokens and resolves with the logits of each. Calls queue up.
   *
   * @throws RR_INPUT, RR_EMPTY_PROMPT, RR_TOKEN_ID, RR_CONTEXT (the sequence stays usable); RR_CLOSED, RR_MODEL_FAILED
   */
  append(ids: readonly number[]): Promise<Appended>;
  /** Releases the cache. Pending appends reject with `RR_CLOSED`. */
  close(): void;
}

interface Append {
  readonly ids: readonly number[];
  /** Logits of the chunks that are done. */
  readonly parts: Float32Array[];
  done: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (reason: unknown) => void;
}

/** A {@link Sequence} as the scheduler sees it. */
export class AppendedSequence implements Sequence, ScheduledSequence {
  readonly id: number;
  readonly source: readonly number[] | undefined;
  readonly #limits: TokenLimits;
  readonly #wake: () => void;
  readonly #appends: Append[] = [];
  #isOnItsWay = false;
  #length = 0;
  /** Why the sequence has ended. */
  #end: { readonly reason: unknown } | undefined;

  constructor(id: number, source: readonly number[] | undefined, limits: TokenLimits, wake: () => void) {
    this.id = id;
    this.source = source;
    this.#limits = limits;
    this.#wake = wake;
  }

  get length(): number {
    return this.#length;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  async append(ids: readonly number[]): Promise<Appended> {
    if (this.#end !== undefined) throw this.#end.reason;
    if (!Array.isArray(ids))
      throw new RingrankError("RR_INPUT", `expected an array of token ids, got ${show(ids)}`);
    const copy: readonly number[] = [...ids];
    checkIds(copy, this.#limits);
    const waiting = this.#appends.reduce((sum, append) => sum + append.ids.length - append.done, 0);
    checkLength(this.#length + waiting + copy.length, this.#limits);
    return new Promise((resolve, reject) => {
      this.#appends.push({ ids: copy, parts: [], done: 0, resolve, reject });
      this.#wake();
    });
  }

  close(): void {
    this.fail(new RingrankError("RR_CLOSED", "the sequence is closed; create a new one"));
    this.#wake();
  }

  /** The caller decides what comes next, from the logits. */
  get isComplete(): boolean {
    return false;
  }

  next(limit: number): Piece | undefined {
    if (this.#isOnItsWay) return undefined;
    const append = this.#appends[0];
    if (append === undefined) return undefined;
    const left = append.ids.slice(append.done);
    const isLast = left.length <= limit;
    return {
      ids: left.slice(0, limit),
      want: "logits",
      ...(!isLast && { promptLength: this.#length + left.length }),
    };
  }

  sent(): void {
    this.#isOnItsWay = true;
  }

  accept(piece: Piece, { logits }: StepRowResult): void {
    this.#isOnItsWay = false;
    const append = this.#appends[0];
    if (append === undefined || piece.want === "next") return;
    const { ids } = piece;
    this.#length += ids.length;
    if (logits === undefined || logits.length % ids.length !== 0) {
      throw new RingrankError(
        "RR_RANK_FAILED",
        `expected logits of ${ids.length} tokens, got ${logits?.length} elements`,
      );
    }
    append.parts.push(logits);
    append.done += ids.length;
    if (append.done < append.ids.length) return;
    this.#appends.shift();
    const data = concatenate(append.parts);
    const dims = [append.ids.length, data.length / append.ids.length];
    append.resolve({ logits: { type: "float32", dims, data } });
  }

  fail(reason: unknown, later = reason): void {
    this.#end ??= { reason: later };
    for (const append of this.#appends.splice(0)) append.reject(reason);
  }
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
