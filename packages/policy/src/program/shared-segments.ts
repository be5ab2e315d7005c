import { serialize } from "node:v8";
import type { Segment } from "./program.js";

/** Segments without weights: each is made once for all layers of all ranks in which it is alike. */
export class SharedSegments {
  readonly #byDescription = new Map<string, Segment>();
  readonly #byBytes = new Map<string, Segment>();

  /**
   * The segment that has been made for such a description, or one of the same bytes that has been made for another;
   * else a new one.
   *
   * @param description all that `make` depends on, as data that threads could exchange
   */
  get(description: unknown, make: () => Segment): Segment {
    const key = serialize(description).toString("latin1");
    const known = this.#byDescription.get(key);
    if (known !== undefined) return known;
    const made = make();
    const bytes = Buffer.from(made.onnx).toString("latin1");
    const segment = this.#byBytes.get(bytes) ?? made;
    this.#byBytes.set(bytes, segment);
    this.#byDescription.set(key, segment);
    return segment;
  }
}
