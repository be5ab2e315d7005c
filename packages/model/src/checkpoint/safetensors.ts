import { RingrankError } from "@ringrank/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject, showJson } from "../files/json.js";
import { type OpenFile, readAt } from "../weights/read-at.js";
import { storedTypes } from "./stored-types.js";

/** A tensor of a checkpoint: its shape, and where its bytes are. */
export interface StoredTensor {
  /** As spelled in the file: `BF16`, `F8_E4M3`, … {@link fileSource} says which can be used. */
  readonly dtype: string;
  readonly dims: readonly number[];
  /** Absolute real path. */
  readonly file: string;
  /** Byte offset of the first element in the file. */
  readonly offset: number;
  /** Size in bytes. */
  readonly bytes: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Size of a complete file with this header. */
  readonly expectedSize: number;
}

/** As in the reference implementation. */
const maxHeaderBytes = 100_000_000;
/** More axes than any operator takes. */
const maxRank = 32;

/**
 * Reads and checks the header of a safetensors file, and none of its payload.
 *
 * ```
 * | 8 bytes: length n of the header, little-endian | n bytes of JSON | payload |
 * { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] }, …, "__metadata__": { … } }
 * ```
 *
 * Offsets count from the start of the payload, which they cover without gaps or overlaps. Whether the payload is
 * complete is not checked here: a header alone is enough to plan.
 *
 * Format: https://github.com/huggingface/safetensors
 *
 * @throws RR_FILE_FORMAT
 */
export function readSafetensorsHeader(file: OpenFile): SafetensorsHeader {
  if (file.size < 8) throw bad(file.path, `expected a header of at least 8 bytes, got ${file.size}`);
  const prefix = new BigUint64Array(1);
  readAt(file, prefix, 0);
  const length = Number(prefix[0]);
  if (length > maxHeaderBytes || length > file.size - 8) {
    throw bad(
      file.path,
      `a header of ${prefix[0]} bytes; expected at most ${maxHeaderBytes} and at most what the file has ` +
        `(${file.size - 8}). It is truncated, or not a safetensors file`,
    );
  }
  const bytes = new Uint8Array(length);
  readAt(file, bytes, 8);
  const header = parseJsonObject(bytes, `${file.path}, header`, {
    maxBytes: maxHeaderBytes,
    uniqueNames: true,
  });

  const tensors = new Map<string, StoredTensor>();
  const payload = 8 + length;
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") checkMetadata(file.path, entry);
    else tensors.set(name, readEntry(file.path, name, entry, payload));
  }
  return { tensors, expectedSize: checkContiguous(file.path, tensors, payload) };
}

function checkMetadata(path: string, metadata: JsonValue): void {
  if (!isJsonObject(metadata) || Object.values(metadata).some((value) => typeof value !== "string")) {
    throw bad(path, `"__metadata__" is not an object of strings`);
  }
}

function readEntry(path: string, name: string, entry: JsonValue, payload: number): StoredTensor {
  const fail = (what: string): RingrankError => bad(path, `tensor ${JSON.stringify(name)} ${what}`);
  if (!isJsonObject(entry)) throw fail("is not an object");
  const { dtype, shape, data_offsets: offsets }: JsonObject = entry;
  const stored = typeof dtype === "string" ? storedTypes.get(dtype) : undefined;
  if (typeof dtype !== "string" || stored === undefined) {
    throw fail(`has the dtype ${showJson(dtype)}; expected one of ${[...storedTypes.keys()].join(", ")}`);
  }
  if (!isCounts(shape) || shape.length > maxRank) {
    throw fail(`has the shape ${showJson(shape)}; expected at most ${maxRank} counts`);
  }
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw fail(`has data_offsets ${showJson(offsets)}; expected [begin, end] in bytes`);
  }
  const [begin, end] = offsets as readonly [number, number];
  const bytes = sizeOf(shape, stored.bits);
  if (bytes === undefined) {
    throw fail(
      `has the shape ${showJson(shape)}, whose size in ${dtype} is not a whole number of bytes below 2^53`,
    );
  }
  if (end - begin !== bytes || end > Number.MAX_SAFE_INTEGER - payload) {
    throw fail(
      `has data_offsets ${showJson(offsets)}; expected ${bytes} bytes for ${dtype} ${showJson(shape)}`,
    );
  }
  return { dtype, dims: shape, file: path, offset: payload + begin, bytes };
}

/** Bytes of `dims` elements with `bits` bits each; undefined if a product overflows or ends within a byte. */
function sizeOf(dims: readonly number[], bits: number): number | undefined {
  let size = bits;
  for (const dim of dims) {
    size *= dim;
    // Even if a later 0 would hide it: such a shape is hostile, not empty.
    if (size > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return size % 8 === 0 ? size / 8 : undefined;
}

/** The byte after the last tensor. */
function checkContiguous(path: string, tensors: ReadonlyMap<string, StoredTensor>, payload: number): number {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let end = payload;
  for (const [name, tensor] of inOrder) {
    if (tensor.offset !== end) {
      throw bad(
        path,
        `tensor ${JSON.stringify(name)} ` +
          `${tensor.offset < end ? "overlaps the one before it" : "leaves a gap before it"}: ` +
          `expected it to begin at byte ${end}, got ${tensor.offset}`,
      );
    }
    end += tensor.bytes;
  }
  return end;
}

function isCounts(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function bad(path: string, what: string): RingrankError {
  return new RingrankError("RR_FILE_FORMAT", `${path}: ${what}`);
}
