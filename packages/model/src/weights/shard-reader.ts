import { RingrankError } from "@ringrank/errors";
import type {
  DataType,
  QuantizedSource,
  StackSource,
  StoredMatrix,
  TensorData,
  Weight,
} from "../graph/graph.js";
import { allocate, bytesOf, bytesPerElement, elementCount, room } from "./element-types.js";
import type { KernelChoice } from "./kernels/kernels.js";
import { QuantizingReader } from "./quantizing-reader.js";
import { checkSelection, RunCursor, type Selection, selectedDims } from "./runs.js";
import { type StoredPart, StoredPartReader } from "./stored-part-reader.js";
import { Workspace } from "./workspace.js";

/** A part of a weight: the Cartesian product of a selection of intervals on each axis. */
export interface WeightShard {
  readonly weight: Weight;
  /** Of `weight.dims`. */
  readonly selection: Selection;
  /** Sizes of the selection. */
  readonly dims: readonly number[];
}

export interface ShardReaderOptions {
  /** Bytes of the buffer for converted and gathered elements; at least 4096. Default 4 MiB. */
  readonly scratchBytes?: number | undefined;
  /** The kernels that convert and quantize. Default `simd`; `plain` is the JavaScript reference, many times slower. */
  readonly kernels?: KernelChoice | undefined;
}

/**
 * Reads shards of weights: only the selected elements (and small gaps between them), converted or quantized as they
 * are read, so that peak memory is the result plus a few MiB. Keeps files open until disposed of.
 *
 * A quantized matrix is two weights, and is read once for both if these are requested one after the other with the
 * same selections of rows and blocks.
 *
 * ```ts
 * using reader = new ShardReader();
 * const rows = reader.read({ weight, selection: [[[0, 8]], [[0, 256]]], dims: [8, 256] });
 * ```
 */
export class ShardReader implements Disposable {
  readonly #workspace: Workspace;
  readonly #stored: StoredPartReader;
  readonly #quantizing: QuantizingReader;

  constructor({ scratchBytes = 4 * 1024 * 1024, kernels = "simd" }: ShardReaderOptions = {}) {
    this.#workspace = new Workspace(Math.max(4096, scratchBytes), kernels);
    this.#stored = new StoredPartReader(this.#workspace);
    this.#quantizing = new QuantizingReader(this.#workspace, this.#readMatrix);
  }

  /**
   * The selected elements in the type of `weight.type`, row-major, in new memory.
   *
   * @param into used instead of new memory, from its first byte on, if it is large enough
   * @throws RR_SHAPE if the selection does not fit the weight; RR_TYPE if the stored type cannot be converted to the
   * weight's; RR_MISSING_FILE, RR_FILE_FORMAT if the file is gone or ends too early
   */
  read({ weight, selection, dims }: WeightShard, into?: Uint8Array): TensorData {
    checkSelection(selection, weight.dims);
    const expected = selectedDims(selection);
    if (expected.length !== dims.length || expected.some((size, axis) => size !== dims[axis])) {
      throw new RingrankError(
        "RR_SHAPE",
        `expected the shard to have the shape of its selection, [${expected}], got [${dims}]`,
      );
    }
    const { source } = weight;
    switch (source.kind) {
      case "inline":
        return gatherInline(weight, source.data, selection, dims, into);
      case "file":
        return this.#readParts(weight.type, dims, [{ source, dims: weight.dims, selection }], into);
      case "stack":
        return this.#readStack(source, weight, selection, dims, into);
      case "quantized":
        return this.#quantizing.read(source, weight, selection, into);
      case "absent":
        throw noWeights();
    }
  }

  [Symbol.dispose](): void {
    this.#stored[Symbol.dispose]();
    this.#quantizing.clear();
  }

  readonly #readMatrix = ({ dims, source }: StoredMatrix, selection: Selection, address: number): void => {
    if (source.kind === "absent") throw noWeights();
    const part = { source, dims, selection };
    this.#stored.check(part, "float32");
    const elements = elementCount(selectedDims(selection));
    this.#stored.read(part, "float32", new Float32Array(this.#workspace.buffer, address, elements), 0);
  };

  #readStack(
    { parts }: StackSource,
    { type, dims: [, ...partDims] }: Weight,
    [chosen, ...selection]: Selection,
    dims: readonly number[],
    into: Uint8Array | undefined,
  ): TensorData {
    if (!areQuantized(parts)) {
      const stored = chosen!.flatMap(([start, end]) =>
        parts.slice(start, end).map((source) => ({ source, dims: partDims, selection })),
      );
      return this.#readParts(type, dims, stored, into);
    }
    const length = elementCount(dims);
    const result = allocate(type, length, room(length * bytesPerElement[type], into));
    let left = bytesOf(result);
    for (const source of chosen!.flatMap(([start, end]) => parts.slice(start, end))) {
      const { byteLength } = this.#quantizing.read(source, { type, dims: partDims, source }, selection, left);
      left = left.subarray(byteLength);
    }
    return result;
  }

  /** The selected elements of all parts, one part after the other. */
  #readParts(
    type: DataType,
    dims: readonly number[],
    parts: readonly StoredPart[],
    into: Uint8Array | undefined,
  ): TensorData {
    // Checked before memory is allocated.
    for (const part of parts) this.#stored.check(part, type);
    const length = elementCount(dims);
    const result = allocate(type, length, room(length * bytesPerElement[type], into));
    let kept = 0;
    for (const part of parts) kept = this.#stored.read(part, type, result, kept);
    return result;
  }
}

function areQuantized(parts: StackSource["parts"]): parts is readonly QuantizedSource[] {
  return parts[0]?.kind === "quantized";
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
  if (data.byteLength !== elementCount(weight.dims) * size) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected ${elementCount(weight.dims) * size} bytes for ${weight.type} [${weight.dims}], got ${data.byteLength}`,
    );
  }
  const length = elementCount(dims);
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
