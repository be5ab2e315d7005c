import { RingrankError } from "@ringrank/errors";
import type { DataType, FileSource, StackSource, TensorData, Weight } from "../graph/graph.js";
import { conversion, type Widen } from "./convert.js";
import { allocate, bytesOf, bytesPerElement } from "./element-types.js";
import { closeFile, type OpenFile, openFile, readAt } from "./read-at.js";
import { checkSelection, RunCursor, type Selection, selectedDims } from "./runs.js";
import { spans } from "./spans.js";

/** A part of a weight: the product of a choice of intervals on each axis. */
export interface WeightShard {
  readonly weight: Weight;
  readonly selection: Selection;
  /** Sizes of the selection. */
  readonly dims: readonly number[];
}

export interface ShardReaderOptions {
  /** Bytes of the buffer that converted and gathered elements go through; at least 4096. Default 4 MiB. */
  readonly scratchBytes?: number;
}

/**
 * Reads shards of weights: only the selected elements (and small gaps between them), converted as they are
 * read, so that peak memory is the result plus one scratch buffer. Keeps files open until disposed of.
 *
 * ```ts
 * using reader = new ShardReader();
 * const rows = reader.read({ weight, selection: [[[0, 8]], [[0, 256]]], dims: [8, 256] });
 * ```
 */
export class ShardReader implements Disposable {
  readonly #files = new Map<string, OpenFile>();
  readonly #scratch: ArrayBuffer;

  constructor({ scratchBytes = 4 * 1024 * 1024 }: ShardReaderOptions = {}) {
    this.#scratch = new ArrayBuffer(Math.max(4096, scratchBytes));
  }

  /**
   * The selected elements in the type of `weight.type`, row-major, in new memory of their own.
   *
   * @throws RR_SHAPE if the selection does not fit the weight; RR_TYPE if the stored type cannot become the
   * weight's; RR_MISSING_FILE, RR_FILE_FORMAT if the file is gone or ends too early.
   */
  read({ weight, selection, dims }: WeightShard): TensorData {
    checkSelection(selection, weight.dims);
    const expected = selectedDims(selection);
    if (expected.length !== dims.length || expected.some((size, axis) => size !== dims[axis])) {
      throw new RingrankError(
        "RR_SHAPE",
        `the selection has the shape [${expected}], the shard says [${dims}]`,
      );
    }
    const { source } = weight;
    switch (source.kind) {
      case "inline":
        return gatherInline(weight, source.data, selection, dims);
      case "file":
        return this.#readParts(weight.type, dims, [{ source, dims: weight.dims, selection }]);
      case "stack":
        return this.#readParts(weight.type, dims, partsOf(weight, source, selection));
      case "absent":
        throw new RingrankError(
          "RR_MISSING_FILE",
          "the model was planned from config.json alone, so there are no weights to read; add its safetensors files",
        );
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeFile(file);
    this.#files.clear();
  }

  /** The selected elements of all parts, one part after the other. */
  #readParts(type: DataType, dims: readonly number[], parts: readonly Part[]): TensorData {
    // Known before memory is taken for it.
    for (const part of parts) this.#check(part, type);
    const result = allocate(type, product(dims));
    let kept = 0;
    for (const part of parts) kept = this.#readPart(part, type, result, kept);
    return result;
  }

  #check({ source, dims }: Part, type: DataType): void {
    conversionFor(source.storedAs, type, source.file);
    const file = this.#open(source.file);
    const end = source.offset + product(dims) * bytesPerElement[source.storedAs];
    if (source.offset >= 0 && end <= file.size) return;
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${file.path}: expected a tensor at bytes ${source.offset} to ${end}, but the file has ${file.size} bytes. ` +
        "It is truncated or was changed; fetch it again.",
    );
  }

  /** Puts the selected elements into `result` from byte `kept` on; returns where they end. */
  #readPart({ source, dims, selection }: Part, type: DataType, result: TensorData, kept: number): number {
    const convert = conversionFor(source.storedAs, type, source.file);
    const storedBytes = bytesPerElement[source.storedAs];
    const file = this.#open(source.file);
    const target = bytesOf(result);
    let end = kept;
    const cursor = new RunCursor(dims, selection);
    for (const span of spans(cursor, storedBytes, this.#scratch.byteLength)) {
      const position = source.offset + span.start;
      const [length] = span.lengths;
      if (convert === "copy" && span.starts.length === 1) {
        readAt(file, target.subarray(end, end + length!), position);
        end += length!;
        continue;
      }
      readAt(file, new Uint8Array(this.#scratch, 0, span.end - span.start), position);
      span.starts.forEach((start, run) => {
        const bytes = new Uint8Array(this.#scratch, start - span.start, span.lengths[run]);
        end += place(bytes, result, end, convert);
      });
    }
    return end;
  }

  #open(path: string): OpenFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = openFile(path);
      this.#files.set(path, file);
    }
    return file;
  }
}

/** What is read from one place: the selected elements of a tensor of the shape `dims`. */
interface Part {
  readonly source: FileSource;
  readonly dims: readonly number[];
  readonly selection: Selection;
}

function partsOf({ dims }: Weight, { parts }: StackSource, [chosen, ...selection]: Selection): Part[] {
  return chosen!.flatMap(([start, end]) =>
    parts.slice(start, end).map((source) => ({ source, dims: dims.slice(1), selection })),
  );
}

/** Puts the stored `bytes` into `result` at byte `at`; returns how many bytes of it they fill. */
function place(bytes: Uint8Array, result: TensorData, at: number, convert: "copy" | Widen): number {
  if (convert === "copy") {
    bytesOf(result).set(bytes, at);
    return bytes.length;
  }
  const elements = bytes.length / 2;
  convert(
    new Uint16Array(bytes.buffer, bytes.byteOffset, elements),
    new Uint32Array(result.buffer, result.byteOffset + at, elements),
  );
  return elements * 4;
}

function gatherInline(
  weight: Weight,
  data: TensorData,
  selection: Selection,
  dims: readonly number[],
): TensorData {
  const size = bytesPerElement[weight.type];
  if (data.byteLength !== product(weight.dims) * size) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected ${product(weight.dims) * size} bytes for ${weight.type} [${weight.dims}], got ${data.byteLength}`,
    );
  }
  const result = allocate(weight.type, product(dims));
  const [from, to] = [bytesOf(data), bytesOf(result)];
  const cursor = new RunCursor(weight.dims, selection);
  let kept = 0;
  while (cursor.next()) {
    to.set(from.subarray(cursor.start * size, (cursor.start + cursor.length) * size), kept);
    kept += cursor.length * size;
  }
  return result;
}

function conversionFor(storedAs: DataType, type: DataType, file: string): "copy" | Widen {
  const convert = conversion(storedAs, type);
  if (convert === undefined) {
    throw new RingrankError(
      "RR_TYPE",
      `${file}: a tensor stored as ${storedAs} cannot be read as ${type}; float16, bfloat16 and float32 become ` +
        "float32, other types stay as they are",
    );
  }
  return convert;
}

function product(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}
