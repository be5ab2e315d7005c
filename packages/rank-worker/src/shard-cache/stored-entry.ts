import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Checksum } from "./checksum.js";
import { type Manifest, type ManifestFile, manifestName, readManifest, readNoLink } from "./manifest.js";

/** Bytes that are read and summed at a time, so that they are still in one of the core's caches. */
const pieceBytes = 1 << 20;

/**
 * An entry of the cache. Each of its files is compared with its recorded size and checksum before it is used. The
 * checksum detects damage by a disk or a power cut. It does not protect against attackers; the permissions of the
 * directory do.
 */
export class StoredEntry {
  readonly path: string;
  /** By path. */
  readonly #files: ReadonlyMap<string, ManifestFile>;

  private constructor(path: string, manifest: Manifest) {
    this.path = path;
    this.#files = new Map(manifest.files.map((file) => [file.path, file]));
  }

  /**
   * @returns undefined if there is no such entry
   * @throws an Error that says what is wrong, if there is something that is not an entry
   */
  static open(path: string): StoredEntry | undefined {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    requireDirectory(path);
    const manifest = readManifest(path);
    markUsed(path);
    return new StoredEntry(path, manifest);
  }

  /**
   * Reads and checks files that will be mapped.
   *
   * @throws an Error if one is not as it was written
   */
  verify(isWanted: (file: string) => boolean): void {
    for (const file of this.#files.values()) {
      if (!isWanted(file.path)) continue;
      this.#check(file, (descriptor, checksum) => checksum.updateFrom(descriptor));
    }
  }

  /**
   * The size of one of its files.
   *
   * @throws an Error if it has no such file
   */
  bytesOf(file: string): number {
    return this.#find(file).bytes;
  }

  /**
   * Fills `into` with one of its files.
   *
   * @throws an Error if the file has another size, or is not as it was written
   */
  read(file: string, into: Uint8Array): void {
    const found = this.#find(file);
    if (found.bytes !== into.length)
      throw new Error(`${this.path}: expected ${into.length} bytes in ${file}, got ${found.bytes}`);
    this.#check(found, (descriptor, checksum) => {
      for (let done = 0; done < into.length; ) {
        const count = readSync(descriptor, into, done, Math.min(into.length - done, pieceBytes), done);
        if (count === 0) throw new Error(`${this.path}: ${file} ends too early`);
        checksum.update(into.subarray(done, done + count));
        done += count;
      }
    });
  }

  #find(file: string): ManifestFile {
    const found = this.#files.get(file);
    if (found === undefined) throw new Error(`${this.path}: expected a file ${file}`);
    return found;
  }

  /** @param sum adds the file's contents to a checksum */
  #check(file: ManifestFile, sum: (descriptor: number, into: Checksum) => void): void {
    const path = join(this.path, file.path);
    requireDirectory(dirname(path));
    const descriptor = openRegular(path, file.bytes);
    try {
      const found = new Checksum();
      sum(descriptor, found);
      if (found.digest() !== file.checksum) throw new Error(`${path}: the checksum is another`);
    } finally {
      closeSync(descriptor);
    }
  }
}

/**
 * Turns a folder and its contents into the entry `path`, by one rename, so that no other process sees a part of it. If
 * another process has created the entry in the meantime, that one stays, and is just as good.
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

/** The least recently used entries are removed first; the times of their manifests tell. */
function markUsed(entry: string): void {
  const now = new Date();
  try {
    utimesSync(join(entry, manifestName), now, now);
  } catch (error) {
    // If the cache is read-only, nothing is removed to make room either.
    if (!isReadOnly(error)) throw error;
  }
}

/** Whether a file system, a mode or Node's permission model refuses to write something. */
function isReadOnly(error: unknown): boolean {
  return ["EROFS", "EACCES", "EPERM", "ERR_ACCESS_DENIED"].includes((error as NodeJS.ErrnoException).code!);
}

function requireDirectory(path: string): void {
  if (lstatSync(path).isDirectory()) return;
  throw new Error(`${path}: expected a directory, not a link or a file`);
}

function openRegular(path: string, bytes: number): number {
  const descriptor = openSync(path, readNoLink);
  const found = fstatSync(descriptor);
  if (found.isFile() && found.size === bytes) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path}: expected a file of ${bytes} bytes, got ${found.size}`);
}
