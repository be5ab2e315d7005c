import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Checksum } from "./checksum.js";
import { type Manifest, type ManifestFile, manifestName, readManifest } from "./manifest.js";

/**
 * An entry of the cache, each of whose files has been read once and has the size and checksum it was written with.
 *
 * The checksum finds what a disk or a power cut has damaged. It keeps nobody out; that the directory is its owner's
 * alone does.
 */
export class Entry {
  readonly path: string;
  readonly #manifest: Manifest;

  private constructor(path: string, manifest: Manifest) {
    this.path = path;
    this.#manifest = manifest;
  }

  /**
   * @returns undefined where there is no such entry
   * @throws an Error that says what is wrong with it, where there is something that is not a whole entry
   */
  static open(path: string): Entry | undefined {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isDirectory()) throw new Error(`${path}: expected a directory, not a link or a file`);
    const manifest = readManifest(path);
    for (const file of manifest.files) verify(path, file);
    markUsed(path);
    return new Entry(path, manifest);
  }

  /** Bytes of one of its files. @throws an Error where it has no such file */
  bytesOf(file: string): number {
    const found = this.#manifest.files.find(({ path }) => path === file);
    if (found === undefined) throw new Error(`${this.path}: expected a file ${file}`);
    return found.bytes;
  }

  /** Fills `into` with one of its files. @throws an Error where that is of another size */
  read(file: string, into: Uint8Array): void {
    const bytes = this.bytesOf(file);
    if (bytes !== into.byteLength)
      throw new Error(`${this.path}: expected ${into.byteLength} bytes in ${file}, got ${bytes}`);
    const descriptor = openRegular(join(this.path, file), bytes);
    try {
      for (let done = 0; done < into.length; ) {
        const count = readSync(descriptor, into, done, Math.min(into.length - done, 1 << 30), done);
        if (count === 0) throw new Error(`${this.path}: ${file} ends too early`);
        done += count;
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/**
 * Makes a folder and what was written there the entry `path`, by one rename, so that no other process sees a part of
 * it. What another process has put there meanwhile stays, and is as good.
 */
export function commitEntry(staging: string, path: string, manifest: Manifest): void {
  writeFileSync(join(staging, manifestName), JSON.stringify(manifest), { mode: 0o600 });
  try {
    renameSync(staging, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** The longest unused entries go first where room is needed; their manifests' times tell. */
function markUsed(entry: string): void {
  const now = new Date();
  utimesSync(join(entry, manifestName), now, now);
}

function verify(entry: string, file: ManifestFile): void {
  const descriptor = openRegular(join(entry, file.path), file.bytes);
  try {
    const checksum = new Checksum();
    checksum.updateFrom(descriptor);
    if (checksum.digest() !== file.checksum)
      throw new Error(`${join(entry, file.path)}: the checksum is another`);
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
