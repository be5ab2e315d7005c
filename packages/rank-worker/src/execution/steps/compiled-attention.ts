import type { BlockAttention } from "../../attention/block-attention.js";
import type { RowAttention } from "../../attention/row-attention.js";
import type { SessionCall } from "../session-call.js";
import type { CompiledStep, RunState } from "./compiled-step.js";

/** Attention of several new rows in blocks, by a session that many layers share. */
export interface AttentionBlocks {
  readonly attention: BlockAttention;
  readonly call: SessionCall;
}

/**
 * Attention over a cache, in the fastest way for the number of rows: a kernel, blocks, or the segment that contains it.
 */
export class CompiledAttention implements CompiledStep {
  readonly #segment: number;
  readonly #row: RowAttention | undefined;
  readonly #blocks: AttentionBlocks | undefined;
  readonly #otherwise: CompiledStep;

  /** @param segment the step that this one replaces */
  constructor(
    segment: number,
    row: RowAttention | undefined,
    blocks: AttentionBlocks | undefined,
    otherwise: CompiledStep,
  ) {
    this.#segment = segment;
    this.#row = row;
    this.#blocks = blocks;
    this.#otherwise = otherwise;
  }

  run(state: RunState): void | Promise<void> {
    const start = state.trace?.begin();
    if (this.#row?.run(state.table) === true) {
      this.#finish(state, start);
      return;
    }
    const inBlocks = this.#inBlocks(state);
    if (inBlocks === false) return this.#otherwise.run(state);
    return inBlocks.then(() => this.#finish(state, start));
  }

  /** @returns false, without any effect, if blocks cannot be used */
  #inBlocks(state: RunState): false | Promise<true> {
    if (this.#blocks === undefined) return false;
    const { attention, call } = this.#blocks;
    return attention.run(state.table, (feeds, into) => {
      state.communicator.progress();
      return call.run(feeds, state, into);
    });
  }

  #finish({ trace, communicator }: RunState, start: number | undefined): void {
    if (start !== undefined) trace?.end("attention", `attention ${this.#segment}`, start);
    communicator.progress();
  }
}
