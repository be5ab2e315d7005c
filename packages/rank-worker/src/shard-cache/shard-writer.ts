import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bytesOf } from "@ringrank/model/weights";
import type { Initializers } from "../loading/initializers.js";
import type { WeightPlaces } from "../loading/kept-weights.js";
import type { ProgramWeights } from "../loading/program-weights.js";
import { writeNewFile } from "../loading/write-weight.js";
import { Checksum, checksumOf } from "./checksum.js";
import type { ManifestFile } from "./manifest.js";
import { bitsOf, modelOf } from "./quantized-program.js";
import { commitEntry } from "./stored-entry.js";

/**
 * Writes an entry while its program loads; the sessions of this load read their weights from it. It grows in a folder
 * of its own and gets its name at the end. It is not flushed to disk: if a power cut damages it, the checksums detect
 * that, and the entry is created again.
 */
export class ShardWriter {
  readonly #weights: ProgramWeights;
  readonly #staging: string;
  readonly #files: ManifestFile[] = [];

  /** @param staging a folder that does not exist yet */
  constructor(weights: ProgramWeights, staging: string) {
    this.#weights = weights;
    this.#staging = staging;
    mkdirSync(staging, { mode: 0o700 });
  }

  /**
   * Writes a segment's initializers.
   *
   * @returns their folder
   */
  segment(index: number, initializers: Initializers): string {
    const folder = this.#makeFolder(String(index));
    const written = initializers.map(() => ({ bytes: 0, checksum: new Checksum() }));
    this.#weights.writeInitializers(folder, initializers, (piece, file) => {
      const one = written[file]!;
      one.checksum.update(piece);
      one.bytes += piece.length;
    });
    for (const [file, { bytes, checksum }] of written.entries()) {
      this.#files.push({ path: `${index}/${file}`, bytes, checksum: checksum.digest() });
    }
    return folder;
  }

  /** Fills the memory of the weights that the rank holds, and writes its contents. */
  fill(places: readonly WeightPlaces[]): void {
    const folder = this.#makeFolder("kept");
    let index = 0;
    for (const some of places) {
      this.#weights.readInto(some);
      for (const bytes of [...some.values()].map(bytesOf)) {
        const name = String(index++);
        writeNewFile(join(folder, name), bytes);
        this.#files.push({ path: `kept/${name}`, bytes: bytes.length, checksum: checksumOf(bytes) });
      }
    }
  }

  /** Turns what has been written into the entry `path`. */
  commit(path: string): void {
    const { program } = this.#weights;
    commitEntry(this.#staging, path, {
      model: modelOf(program),
      bits: bitsOf(program),
      rank: program.rank,
      worldSize: program.worldSize,
      bytes: this.#files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: this.#files,
    });
  }

  #makeFolder(name: string): string {
    const path = join(this.#staging, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }
}
