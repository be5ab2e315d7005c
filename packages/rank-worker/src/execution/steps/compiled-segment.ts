import type { ElementwiseRoom } from "../../elementwise/elementwise-room.js";
import type { Fetched } from "../../sessions/ort-binding.js";
import type { Tensor } from "../../tensors/tensor.js";
import type { SessionCall } from "../session-call.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";

/** A segment's values in the table, and its additional inputs. */
export interface SegmentValues {
  readonly feeds: readonly NamedIndex[];
  readonly sharedWeights: Readonly<Record<string, Tensor>>;
  readonly results: readonly NamedIndex[];
}

/** Runs a segment's session. Names are those of the segment; indices refer to the table. */
export class CompiledSegment implements CompiledStep {
  readonly #call: SessionCall;
  readonly #values: SegmentValues;
  readonly #room: ElementwiseRoom | undefined;

  /** @param room memory for outputs that the session need not allocate itself */
  constructor(call: SessionCall, values: SegmentValues, room?: ElementwiseRoom) {
    this.#call = call;
    this.#values = values;
    this.#room = room;
  }

  run(state: RunState): void | Promise<void> {
    const start = state.trace?.begin();
    const { sharedWeights, feeds } = this.#values;
    const fed: Record<string, Tensor> = { ...sharedWeights };
    for (const feed of feeds) fed[feed.name] = valueAt(state, feed);
    const fetched = this.#call.run(fed, state, this.#room?.take(state.table));
    if (fetched instanceof Promise) return fetched.then((results) => this.#store(results, state, start));
    this.#store(fetched, state, start);
  }

  #store(fetched: Fetched, { table, trace, communicator }: RunState, start: number | undefined): void {
    for (const { name, index } of this.#values.results) table[index] = fetched[name];
    if (start !== undefined) trace?.end("session", `segment ${this.#call.segment}`, start);
    communicator.progress();
  }
}
