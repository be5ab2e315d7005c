import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Describes an entry. It is written last, so a folder without it is not an entry. */
export interface Manifest {
  /** Directory of the model's files. */
  readonly model: string;
  /** Bits of the quantized weights, ascending, such as `[4]`. */
  readonly bits: readonly number[];
  /** The rank whose weights they are; absent in the entry of a plan, which is for all ranks. */
  readonly rank?: number;
  readonly worldSize: number;
  /** Total size of all files. */
  readonly bytes: number;
  readonly files: readonly ManifestFile[];
}

/** One file of an entry. */
export interface ManifestFile {
  /**
   * Path in the entry: `<segment>/<index>` for an initializer, `kept/<index>` for a weight that the rank holds, or
   * `plan`.
   */
  readonly path: string;
  readonly bytes: number;
  /** Checksum of the file's bytes: see {@link Checksum}. */
  readonly checksum: string;
}

export const manifestName = "manifest.json";

/**
 * Opens a file only if it is not a link. Windows has no such flag, but creating links there needs rights that few have.
 */
export const readNoLink = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** @throws the errors of node:fs; a SyntaxError or TypeError if it is not a manifest */
export function readManifest(entry: string): Manifest {
  const descriptor = openSync(join(entry, manifestName), readNoLink);
  try {
    const manifest: unknown = JSON.parse(readFileSync(descriptor, "utf8"));
    if (!isManifest(manifest)) throw new TypeError(`${entry}: expected a manifest of a cache's entry`);
    return manifest;
  } finally {
    closeSync(descriptor);
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { model, bits, rank, worldSize, bytes, files } = value as Partial<Record<keyof Manifest, unknown>>;
  return (
    typeof model === "string" &&
    (rank === undefined || Number.isSafeInteger(rank)) &&
    [worldSize, bytes].every(Number.isSafeInteger) &&
    Array.isArray(bits) &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}

function isFile(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { path, bytes, checksum } = value as Partial<Record<keyof ManifestFile, unknown>>;
  return (
    typeof path === "string" &&
    /^(([0-9]+|kept)\/[0-9]+|plan)$/.test(path) &&
    Number.isSafeInteger(bytes) &&
    typeof checksum === "string"
  );
}
