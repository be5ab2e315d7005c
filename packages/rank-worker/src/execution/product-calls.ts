import type { SegmentType } from "../products/multiplier.js";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import type { RunState } from "./compiled-step.js";
import type { SessionCall } from "./session-call.js";

/** Runs of the segments that a product step has for many rows. */
export class ProductCalls {
  readonly #calls: Readonly<Partial<Record<SegmentType, SessionCall>>>;

  constructor(calls: Readonly<Partial<Record<SegmentType, SessionCall>>>) {
    this.#calls = calls;
  }

  run(type: SegmentType, feeds: Feeds, into: Feeds, state: RunState): Fetched | Promise<Fetched> {
    state.communicator.progress();
    return this.#calls[type]!.run(feeds, state, into);
  }
}
