import { RingrankError } from "@ringrank/errors";
import {
  type DataType,
  type FileSource,
  type QuantizedSource,
  quantizationBlock,
  type StackSource,
  type StoredMatrix,
  type TensorData,
  type Weight,
} from "../graph/graph.js";
import { type Conversion, conversion } from "./convert.js";
import { allocate, bytesOf, bytesPerElement, room } from "./element-types.js";
import type { KernelChoice } from "./kernels/kernels.js";
import { quantizeMatrix } from "./quantize-matrix.js";
import { closeFile, type OpenFile, openFile, readAt } from "./read-at.js";
import { checkSelection, type Interval, RunCursor, type Selection, selectedDims } from "./runs.js";
import { spans } from "./spans.js";
import { tileElements, Workspace } from "./workspace.js";

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
  /** What converts and quantizes. Default `simd`; `plain` is the reference in JavaScript, many times slower. */
  readonly kernels?: KernelChoice;
}

/**
 * Reads shards of weights: only the selected elements (and small gaps between them), converted or quantized as they
 * are read, so that peak memory is the result plus a few MiB. Keeps files open until disposed of.
 *
 * A quantized matrix is two weights, and is read once for both where they are asked for one after the other with the
 * same selections of rows and blocks.
 *
 * ```ts
 * using reader = new ShardReader();
 * const rows = reader.read({ weight, selection: [[[0, 8]], [[0, 256]]], dims: [8, 256] });
 * ```
 */
export class ShardReader implements Disposable {
  readonly #files = new Map<string, OpenFile>();
  readonly #workspace: Workspace;
  /** What was made of a quantized matrix, part by part, and has not been asked for yet: by part, rows and blocks. */
  #unasked: { readonly matrix: string; readonly parts: Map<string, Uint8Array | Float32Array> } | undefined;
  /** Memory for that, once what was in it has been copied out: as much as the pieces of one matrix took. */
  readonly #spare: Uint8Array[] = [];

  constructor({ scratchBytes = 4 * 1024 * 1024, kernels = "simd" }: ShardReaderOptions = {}) {
    this.#workspace = new Workspace(Math.max(4096, scratchBytes), kernels);
  }

  /**
   * The selected elements in the type of `weight.type`, row-major, in new memory of their own.
   *
   * @param into taken in place of new memory, from its first byte on, where it is large enough
   * @throws RR_SHAPE if the selection does not fit the weight; RR_TYPE if the stored type cannot become the
   * weight's; RR_MISSING_FILE, RR_FILE_FORMAT if the file is gone or ends too early.
   */
  read({ weight, selection, dims }: WeightShard, into?: Uint8Array): TensorData {
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
        return gatherInline(weight, source.data, selection, dims, into);
      case "file":
        return this.#readParts(weight.type, dims, [{ source, dims: weight.dims, selection }], into);
      case "stack":
        return this.#readParts(weight.type, dims, partsOf(weight, source, selection), into);
      case "quantized":
        return this.#readQuantized(source, selection, weight, into);
      case "absent":
        throw noWeights();
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeFile(file);
    this.#files.clear();
    this.#unasked = undefined;
    this.#spare.length = 0;
  }

  #readQuantized(
    { matrix, bits, part }: QuantizedSource,
    selection: Selection,
    weight: Weight,
    into: Uint8Array | undefined,
  ): TensorData {
    const rows = selection[0]!;
    const blocks = blocksOf(weight, matrix, selection);
    const name = JSON.stringify([matrix, bits]);
    const keyOf = (part: string): string => JSON.stringify([part, rows, blocks]);
    // What is left of another matrix is let go of before more memory is taken.
    if (this.#unasked?.matrix !== name) this.#unasked = { matrix: name, parts: new Map() };
    const { parts } = this.#unasked;
    const known = parts.get(keyOf(part));
    if (known !== undefined) {
      parts.delete(keyOf(part));
      return this.#moved(known, weight.type, into);
    }
    const other = part === "values" ? "scales" : "values";
    const quantized = quantizeMatrix(
      { matrix, bits, rows, blocks },
      this.#workspace,
      (chosen, address) => this.#readMatrix(matrix, chosen, address),
      { [part]: into, [other]: this.#spare.pop() },
    );
    parts.set(keyOf(other), quantized[other]);
    return quantized[part];
  }

  /** The part that was kept: copied where the caller has memory for it, whose place the next one's then takes. */
  #moved(kept: Uint8Array | Float32Array, type: DataType, into: Uint8Array | undefined): TensorData {
    if (into === undefined || into.byteLength < kept.byteLength) return kept;
    const moved = allocate(type, kept.length, into);
    bytesOf(moved).set(bytesOf(kept));
    this.#spare.push(new Uint8Array(kept.buffer as ArrayBuffer));
    return moved;
  }

  /** Puts selected elements of a matrix, as float32, into the workspace. */
  #readMatrix({ dims, source }: StoredMatrix, selection: Selection, address: number): void {
    if (source.kind === "absent") throw noWeights();
    const part = { source, dims, selection };
    this.#check(part, "float32");
    const elements = product(selectedDims(selection));
    this.#readPart(part, "float32", new Float32Array(this.#workspace.buffer, address, elements), 0);
  }

  /** The selected elements of all parts, one part after the other. */
  #readParts(
    type: DataType,
    dims: readonly number[],
    parts: readonly Part[],
    into: Uint8Array | undefined,
  ): TensorData {
    // Known before memory is taken for it.
    for (const part of parts) this.#check(part, type);
    const length = product(dims);
    const result = allocate(type, length, room(length * bytesPerElement[type], into));
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
    const { buffer, stored } = this.#workspace;
    let end = kept;
    const cursor = new RunCursor(dims, selection);
    for (const span of spans(cursor, storedBytes, stored.bytes)) {
      const position = source.offset + span.start;
      const [length] = span.lengths;
      if (convert === "copy" && span.starts.length === 1) {
        readAt(file, target.subarray(end, end + length!), position);
        end += length!;
        continue;
      }
      readAt(file, new Uint8Array(buffer, stored.address, span.end - span.start), position);
      span.starts.forEach((start, run) => {
        const address = stored.address + start - span.start;
        end += this.#place(address, span.lengths[run]!, target, end, convert);
      });
    }
    return end;
  }

  /** Puts stored bytes from the workspace into `target` at byte `at`; returns how many bytes of it they fill. */
  #place(address: number, length: number, target: Uint8Array, at: number, convert: Conversion): number {
    const { buffer, kernels, tile } = this.#workspace;
    if (convert === "copy") {
      target.set(new Uint8Array(buffer, address, length), at);
      return length;
    }
    const widen = kernels[convert];
    const elements = length / 2;
    if (target.buffer === buffer) {
      widen(target.byteOffset + at, address, elements);
      return elements * 4;
    }
    for (let done = 0; done < elements; done += tileElements) {
      const count = Math.min(tileElements, elements - done);
      widen(tile.address, address + done * 2, count);
      target.set(new Uint8Array(buffer, tile.address, count * 4), at + done * 4);
    }
    return elements * 4;
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

/** The blocks of a row that a selection of values or scales is of. */
function blocksOf({ dims, source }: Weight, matrix: StoredMatrix, [, second, third]: Selection): Interval[] {
  const count = Math.ceil(matrix.dims[matrix.transposed ? 0 : 1] / quantizationBlock);
  const isRows = dims.length === 2 && source.kind === "quantized" && source.part === "values";
  const [inner, size] = isRows ? [second, dims[1]] : [third, dims[2]];
  if (inner !== undefined && (inner.length !== 1 || inner[0]![0] !== 0 || inner[0]![1] !== size)) {
    throw new RingrankError("RR_SHAPE", "expected whole blocks of a quantized matrix, got parts of them");
  }
  return isRows ? [[0, count]] : [...second!];
}

function noWeights(): RingrankError {
  return new RingrankError(
    "RR_MISSING_FILE",
    "the model was planned from config.json alone, so there are no weights to read; add its safetensors files",
  );
}

function gatherInline(
  weight: Weight,
  data: TensorData,
  selection: Selection,
  dims: readonly number[],
  into: Uint8Array | undefined,
): TensorData {
  const size = bytesPerElement[weight.type];
  if (data.byteLength !== product(weight.dims) * size) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected ${product(weight.dims) * size} bytes for ${weight.type} [${weight.dims}], got ${data.byteLength}`,
    );
  }
  const length = product(dims);
  const result = allocate(weight.type, length, room(length * size, into));
  const [from, to] = [bytesOf(data), bytesOf(result)];
  const cursor = new RunCursor(weight.dims, selection);
  let kept = 0;
  while (cursor.next()) {
    to.set(from.subarray(cursor.start * size, (cursor.start + cursor.length) * size), kept);
    kept += cursor.length * size;
  }
  return result;
}

function conversionFor(storedAs: DataType, type: DataType, file: string): Conversion {
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
