import { join } from "node:path";
import { Entry } from "./entry.js";

/** The entry of one rank's weights. Sessions map its files; nothing of them is copied. */
export class CachedShard {
  readonly #entry: Entry;

  private constructor(entry: Entry) {
    this.#entry = entry;
  }

  /** As {@link Entry.open}. */
  static open(path: string): CachedShard | undefined {
    const entry = Entry.open(path);
    return entry && new CachedShard(entry);
  }

  /** Folder of a segment's initializers. */
  segment(index: number): string {
    return join(this.#entry.path, String(index));
  }

  /** Fills `into` with the weight at `index` of those that the rank keeps. */
  readKept(index: number, into: Uint8Array): void {
    this.#entry.read(`kept/${index}`, into);
  }
}
