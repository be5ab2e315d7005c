import { serialize } from "node:v8";
import type { Segment } from "../program.js";

/** Segments without weights. Each is created once for all layers of all ranks in which it is the same. */
export class SharedSegments {
  readonly #byDescription = new Map<string, Segment>();
  readonly #byBytes = new Map<string, Segment>();

  /**
   * Returns the segment that has been created for this description, or one with the same bytes that has been created
   * for another; otherwise creates one.
   *
   * @param description everything that `make` depends on, as data that threads could exchange
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
