import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import type { Weight } from "@ringrank/model";
import { bytesOf } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { keptWeights } from "../weight-files/kept-weights.js";

/** Raised whenever entries are written in another way. */
const format = 3;

/** Bytes from a file's beginning that are hashed: the header of a safetensors file, and more. */
const headBytes = 1 << 20;

/**
 * The name of the entry that holds a program's weights: a hash of all that decides its bytes. These are the selection
 * of every weight, its type and precision, and how they lie in segments (so, the policy); each file's identity, size,
 * time and header; the format and the library's version.
 */
export function shardKey(program: RankProgram): string {
  const { rank, worldSize, segments, weights } = program;
  const files = [...new Set(Object.values(weights).flatMap(({ weight }) => filesOf(weight)))];
  const contents = {
    format,
    library: libraryVersion(),
    rank,
    worldSize,
    segments: segments.map(({ initializers }) => initializers),
    kept: keptWeights(program),
    weights,
    files: files.map((file) => [file, fileIdentity(file)]),
  };
  return createHash("sha256").update(JSON.stringify(contents, hashed)).digest("hex").slice(0, 40);
}

/** Files a weight is read from. */
export function filesOf({ source }: Weight): string[] {
  switch (source.kind) {
    case "file":
      return [source.file];
    case "stack":
      return source.parts.map(({ file }) => file);
    case "quantized":
      return source.matrix.source.kind === "file" ? [source.matrix.source.file] : [];
    default:
      return [];
  }
}

/**
 * What a file's contents are known by. In the hub's cache a file is a link to a blob that is named by the hash of its
 * contents; elsewhere its place, size, time and header have to do.
 */
function fileIdentity(file: string): unknown {
  const path = realpathSync(file);
  const { size, ino, mtimeNs } = statSync(path, { bigint: true });
  const blob = basename(path);
  if (basename(dirname(path)) === "blobs" && /^[0-9a-f]{40,64}$/.test(blob)) return { blob, size: `${size}` };
  return { path, size: `${size}`, ino: `${ino}`, mtimeNs: `${mtimeNs}`, head: hashOfHead(path) };
}

function hashOfHead(path: string): string {
  const head = Buffer.alloc(headBytes);
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
