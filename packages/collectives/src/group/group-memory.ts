import { RingrankError } from "@ringrank/errors";
import type { GroupHandle } from "./group.js";
import { GroupLayout } from "./layout.js";

/** One thread's views on a group's memory. */
export class GroupMemory {
  readonly layout: GroupLayout;
  readonly worldSize: number;
  readonly bytes: Uint8Array;
  /** Also used to read and write int32 elements. */
  readonly words: Int32Array;
  readonly floats: Float32Array;

  /** @throws RR_OPTION if `handle` is not what {@link createGroup} returned. */
  constructor(handle: GroupHandle) {
    const buffer: unknown = handle?.memory?.buffer;
    const layout = new GroupLayout(handle?.worldSize, handle?.windowBytes);
    if (!(buffer instanceof SharedArrayBuffer) || !(buffer.byteLength >= layout.bytes)) {
      throw new RingrankError(
        "RR_OPTION",
        "group: expected the handle that createGroup returned, passed to this thread by structured clone",
      );
    }
    this.layout = layout;
    this.worldSize = handle.worldSize;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
  }

  /** How many rounds `rank` is ahead of `other`. */
  lead(rank: number, other: number): number {
    const { words, layout } = this;
    return (Atomics.load(words, layout.published(rank)) - Atomics.load(words, layout.published(other))) | 0;
  }

  /**
   * Changes whenever `rank` publishes a round or reports that it is alive: both counters only grow, and so does their
   * sum.
   */
  moves(rank: number): number {
    const { words, layout } = this;
    return (Atomics.load(words, layout.published(rank)) + Atomics.load(words, layout.progress(rank))) | 0;
  }
}
