import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Initializers } from "../weight-files/initializers.js";
import type { ProgramWeights } from "../weight-files/program-weights.js";
import { type Manifest, type ManifestFile, manifestName } from "./manifest.js";
import { bitsOf, modelOf } from "./quantized-program.js";

/**
 * Writes an entry while its program loads: the sessions of this very load read their weights from it.
 *
 * It grows in a folder of the load's own and gets its name at the end, by one rename, so that no other process sees a
 * part of it, and whoever comes first wins. Nothing is flushed to the disk for it: what a power cut takes away, the
 * checksums show, and the entry is made again.
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

  /** Writes a segment's initializers. @returns their folder */
  segment(index: number, initializers: Initializers): string {
    return this.#write(String(index), initializers);
  }

  /** Writes the weights that the rank keeps. */
  kept(names: readonly string[]): void {
    this.#write(
      "kept",
      names.map((name) => [name]),
    );
  }

  /** Makes what was written the entry `path`. What another process has put there meanwhile stays, and is as good. */
  commit(path: string): void {
    const { program } = this.#weights;
    const manifest: Manifest = {
      model: modelOf(program),
      bits: bitsOf(program),
      rank: program.rank,
      worldSize: program.worldSize,
      bytes: this.#files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: this.#files,
    };
    writeFileSync(join(this.#staging, manifestName), JSON.stringify(manifest), { mode: 0o600 });
    try {
      renameSync(this.#staging, path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    }
  }

  #write(folder: string, initializers: Initializers): string {
    const path = join(this.#staging, folder);
    mkdirSync(path, { mode: 0o700 });
    const written = initializers.map(() => ({ hash: createHash("sha256"), bytes: 0 }));
    this.#weights.writeInitializers(path, initializers, (piece, file) => {
      const one = written[file]!;
      one.hash.update(piece);
      one.bytes += piece.length;
    });
    for (const [file, { hash, bytes }] of written.entries())
      this.#files.push({ path: `${folder}/${file}`, bytes, sha256: hash.digest("hex") });
    return path;
  }
}
