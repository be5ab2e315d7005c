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

/**
 * Bytes that are read, and summed up, at a time: they are still in one of the core's caches then.
 */
const pieceBytes = 1 << 20;

/**
 * An entry of the cache. Each of its files is compared with the size and checksum it was written with before anybody
 * has it.
 *
 * The checksum finds what a disk or a power cut has damaged. It keeps nobody out; that the directory is its owner's
 * alone does.
 */
export class Entry {
  readonly path: string;
  /** By path. */
  readonly #files: ReadonlyMap<string, ManifestFile>;

  private constructor(path: string, manifest: Manifest) {
    this.path = path;
    this.#files = new Map(manifest.files.map((file) => [file.path, file]));
  }

  /**
   * @returns undefined where there is no such entry
   * @throws an Error that says what is wrong with it, where there is something that is no entry
   */
  static open(path: string): Entry | undefined {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    requireDirectory(path);
    const manifest = readManifest(path);
    markUsed(path);
    return new Entry(path, manifest);
  }

  /** Reads files that others will map. @throws an Error where one is not as it was written */
  verify(isWanted: (file: string) => boolean): void {
    for (const file of this.#files.values()) {
      if (!isWanted(file.path)) continue;
      this.#check(file, (descriptor, checksum) => checksum.updateFrom(descriptor));
    }
  }

  /** Bytes of one of its files. @throws an Error where it has no such file */
  bytesOf(file: string): number {
    return this.#find(file).bytes;
  }

  /** Fills `into` with one of its files. @throws an Error where that is of another size, or not as it was written */
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

  /** @param sum up what the file has */
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
  try {
    utimesSync(join(entry, manifestName), now, now);
  } catch (error) {
    // Where nothing may be written, nothing is removed to make room either.
    if (!isReadOnly(error)) throw error;
  }
}

/** Whether a file system, a mode or Node's permission model refuses to have something written. */
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
