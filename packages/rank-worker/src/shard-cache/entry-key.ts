import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { bytesOf } from "@ringrank/model/weights";

/** Raised whenever the format of entries changes. */
const format = 10;

/** Bytes at the start of a file that are hashed: the header of a safetensors file, and more. */
const headBytes = 1 << 20;

/**
 * The name of an entry: a hash of everything that determines its bytes. This is the format, the library's version, the
 * caller's contents, and the identity, size, time and header of each of the model's files.
 */
export function entryKey(contents: object, files: readonly string[]): string {
  const all = {
    format,
    library: libraryVersion(),
    ...contents,
    files: files.map((file) => [file, contentsIdentity(file)]),
  };
  return contentsHash(all).slice(0, 40);
}

/** SHA-256 of an object's JSON, in which binary data is replaced by its hash. */
export function contentsHash(contents: object): string {
  return createHash("sha256").update(JSON.stringify(contents, hashed)).digest("hex");
}

/**
 * Identifies a file's contents. In the hub's cache, a file is a link to a blob that is named by the hash of its
 * contents; elsewhere, its path, size, time and header must do.
 */
function contentsIdentity(file: string): unknown {
  const path = realpathSync(file);
  const { size, ino, mtimeNs } = statSync(path, { bigint: true });
  const blob = basename(path);
  if (basename(dirname(path)) === "blobs" && /^[0-9a-f]{40,64}$/.test(blob)) return { blob, size: `${size}` };
  return { path, size: `${size}`, ino: `${ino}`, mtimeNs: `${mtimeNs}`, head: hashOfHead(path) };
}

function hashOfHead(path: string): string {
  const head = Buffer.allocUnsafe(headBytes);
  const descriptor = openSync(path, "r");
  try {
    const length = readSync(descriptor, head, 0, headBytes, 0);
    return createHash("sha256").update(head.subarray(0, length)).digest("hex");
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces inline data by its hash. */
function hashed(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? createHash("sha256").update(bytesOf(value)).digest("hex") : value;
}

function libraryVersion(): string {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  return version;
}
