import { join } from "node:path";
import { StoredEntry } from "./stored-entry.js";

/** The entry of one rank's weights. Sessions map the files of segments; weights that the rank holds itself are read. */
export class CachedShard {
  readonly #entry: StoredEntry;

  private constructor(entry: StoredEntry) {
    this.#entry = entry;
  }

  /** Like {@link StoredEntry.open}. Also verifies the files that sessions map, by reading them once. */
  static open(path: string): CachedShard | undefined {
    const entry = StoredEntry.open(path);
    entry?.verify((file) => !file.startsWith("kept/"));
    return entry && new CachedShard(entry);
  }

  /** The folder of a segment's initializers. */
  segment(index: number): string {
    return join(this.#entry.path, String(index));
  }

  /** Like {@link StoredEntry.read}, for the weight at `index` among those that the rank holds. */
  readKept(index: number, into: Uint8Array): void {
    this.#entry.read(`kept/${index}`, into);
  }
}
