import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type Manifest, type ManifestFile, manifestName, readManifest } from "./manifest.js";

/** Bytes read at a time: small enough to stay in the processor's cache while they are hashed. */
const chunkBytes = 1 << 20;

/**
 * An entry of the cache, each of whose files has been read once and has the size and checksum it was written with.
 * Sessions map its files; nothing of it is copied.
 */
export class CachedShard {
  readonly #path: string;
  readonly #manifest: Manifest;

  private constructor(path: string, manifest: Manifest) {
    this.#path = path;
    this.#manifest = manifest;
  }

  /**
   * @returns undefined where there is no such entry
   * @throws an Error that says what is wrong with it, where there is something that is not a whole entry
   */
  static open(path: string): CachedShard | undefined {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isDirectory()) throw new Error(`${path}: expected a directory, not a link or a file`);
    const manifest = readManifest(path);
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (const file of manifest.files) verify(path, file, chunk);
    markUsed(path);
    return new CachedShard(path, manifest);
  }

  /** Folder of a segment's initializers. */
  segment(index: number): string {
    return join(this.#path, String(index));
  }

  /** Fills `into` with the weight at `index` of those that the rank keeps. */
  readFed(index: number, into: Uint8Array): void {
    const path = `kept/${index}`;
    const file = this.#manifest.files.find((one) => one.path === path);
    if (file?.bytes !== into.byteLength)
      throw new Error(`${this.#path}: expected ${into.byteLength} bytes in ${path}`);
    const descriptor = openRegular(join(this.#path, path), file.bytes);
    try {
      for (let done = 0; done < into.length; ) {
        const count = readSync(descriptor, into, done, Math.min(into.length - done, 1 << 30), done);
        if (count === 0) throw new Error(`${this.#path}: ${path} ends too early`);
        done += count;
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/** The longest unused entries go first where room is needed; their manifests' times tell. */
function markUsed(entry: string): void {
  const now = new Date();
  utimesSync(join(entry, manifestName), now, now);
}

function verify(entry: string, { path, bytes, sha256 }: ManifestFile, chunk: Buffer): void {
  const descriptor = openRegular(join(entry, path), bytes);
  try {
    const hash = createHash("sha256");
    for (let count = readSync(descriptor, chunk); count > 0; count = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, count));
    }
    if (hash.digest("hex") !== sha256) throw new Error(`${join(entry, path)}: the checksum is another`);
  } finally {
    closeSync(descriptor);
  }
}

function openRegular(path: string, bytes: number): number {
  // Windows has no such flag, and its links need rights that few have.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  const found = fstatSync(descriptor);
  if (found.isFile() && found.size === bytes) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path}: expected a file of ${bytes} bytes, got ${found.size}`);
}
