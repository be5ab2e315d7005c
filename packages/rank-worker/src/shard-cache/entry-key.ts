import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { bytesOf } from "@ringrank/model/weights";

/** Raised whenever entries are written in another way. */
const format = 8;

/** Bytes from a file's beginning that are hashed: the header of a safetensors file, and more. */
const headBytes = 1 << 20;

/**
 * The name of an entry: a hash of all that decides its bytes. These are the format and the library's version, what the
 * caller says, and the model's files: each one's identity, size, time and header.
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

/** SHA-256 of what JSON makes of an object, with a hash in place of data that it holds. */
export function contentsHash(contents: object): string {
  return createHash("sha256").update(JSON.stringify(contents, hashed)).digest("hex");
}

/**
 * What a file's contents are known by. In the hub's cache a file is a link to a blob that is named by the hash of its
 * contents; elsewhere its place, size, time and header have to do.
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

/** Data held inline, by its hash. */
function hashed(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? createHash("sha256").update(bytesOf(value)).digest("hex") : value;
}

function libraryVersion(): string {
  const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
  return version;
}
