import { join } from "node:path";
import { Entry } from "./entry.js";

/** The entry of one rank's weights. Sessions map the files of segments; what the rank keeps itself is read. */
export class CachedShard {
  readonly #entry: Entry;

  private constructor(entry: Entry) {
    this.#entry = entry;
  }

  /** As {@link Entry.open}. The files that sessions map have been read once by then, and are as they were written. */
  static open(path: string): CachedShard | undefined {
    const entry = Entry.open(path);
    entry?.verify((file) => !file.startsWith("kept/"));
    return entry && new CachedShard(entry);
  }

  /** Folder of a segment's initializers. */
  segment(index: number): string {
    return join(this.#entry.path, String(index));
  }

  /** As {@link Entry.read}, of the weight at `index` of those that the rank keeps. */
  readKept(index: number, into: Uint8Array): void {
    this.#entry.read(`kept/${index}`, into);
  }
}
