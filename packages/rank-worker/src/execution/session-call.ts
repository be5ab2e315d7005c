import { RingrankError } from "@ringrank/errors";
import type { Segment } from "@ringrank/policy";
import type { Fetched, Fetches, OrtSession } from "../sessions/ort-binding.js";
import type { Tensor } from "../tensors/tensor.js";
import type { RunState } from "./steps/compiled-step.js";

/** Runs one segment's session, inside the gate of native calls. */
export class SessionCall {
  readonly segment: number;
  readonly #session: OrtSession;
  readonly #fetches: Fetches;
  /** Set if there is only one output. */
  readonly #onlyOutput: string | undefined;

  /** @param segment the segment's index, for errors and traces */
  constructor(segment: number, session: OrtSession, { outputs }: Pick<Segment, "outputs">) {
    this.segment = segment;
    this.#session = session;
    this.#fetches = Object.fromEntries(outputs.map((value) => [value, null]));
    this.#onlyOutput = outputs.length === 1 ? outputs[0] : undefined;
  }

  /**
   * @param into tensors to write outputs to, by name; missing ones are allocated
   * @throws RR_GRAPH if the runtime fails; RR_CLOSED if the process ends
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    { gate }: RunState,
    into?: Readonly<Record<string, Tensor>>,
  ): Fetched | Promise<Fetched> {
    gate.enter();
    let fetched: Fetched | Promise<Fetched>;
    try {
      fetched = this.#session.run(feeds, this.#fetchesInto(into));
    } catch (cause) {
      gate.leave();
      throw this.#failed(cause);
    }
    if (!(fetched instanceof Promise)) {
      gate.leave();
      return fetched;
    }
    return fetched.then(
      (results) => {
        gate.leave();
        return results;
      },
      (cause) => {
        gate.leave();
        throw this.#failed(cause);
      },
    );
  }

  #fetchesInto(into: Fetches | undefined): Fetches {
    if (into === undefined) return this.#fetches;
    const only = this.#onlyOutput;
    return only !== undefined && only in into ? into : { ...this.#fetches, ...into };
  }

  #failed(cause: unknown): RingrankError {
    const message = `ONNX Runtime failed in segment ${this.segment}: ${String(cause)}`;
    return new RingrankError("RR_GRAPH", message + adviceOn(message), { cause });
  }
}

/** Token ids are checked before a call, so a lookup beyond a table is a position that the graph computes. */
function adviceOn(message: string): string {
  if (!message.includes("indices element out of data bounds")) return "";
  return (
    ". A table of the model has no such row, as one of positions for more tokens than its context: give fewer, and " +
    "put the model's config.json beside an ONNX file, so that longer calls are refused with RR_CONTEXT"
  );
}
