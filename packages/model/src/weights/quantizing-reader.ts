import { RingrankError } from "@ringrank/errors";
import {
  type DataType,
  type QuantizedSource,
  quantizationBlock,
  type StoredMatrix,
  type TensorData,
  type Weight,
} from "../graph/graph.js";
import { allocate, bytesOf } from "./element-types.js";
import { quantizeMatrix } from "./quantize-matrix.js";
import type { Interval, Selection } from "./runs.js";
import type { Workspace } from "./workspace.js";

/**
 * Quantizes shards of matrices. A quantized matrix is two weights, its values and its scales. Both are computed
 * together. The one that was not requested is kept until it is, or until another matrix is read.
 */
export class QuantizingReader {
  readonly #workspace: Workspace;
  readonly #readMatrix: (matrix: StoredMatrix, selection: Selection, address: number) => void;
  /** Parts of a matrix that have been computed and not requested yet, by part, rows and blocks. */
  #unasked: { readonly matrix: string; readonly parts: Map<string, Uint8Array | Float32Array> } | undefined;
  /** Memory for those, which is reused once its contents have been copied: as much as the pieces of one matrix took. */
  readonly #spare: Uint8Array[] = [];

  /** @param readMatrix reads selected elements of a matrix, as float32, into the workspace */
  constructor(
    workspace: Workspace,
    readMatrix: (matrix: StoredMatrix, selection: Selection, address: number) => void,
  ) {
    this.#workspace = workspace;
    this.#readMatrix = readMatrix;
  }

  /**
   * @param into used instead of new memory, if it is large enough
   * @throws RR_SHAPE if the selection has parts of blocks, and what reading the matrix throws
   */
  read(
    { matrix, bits, part }: QuantizedSource,
    weight: Weight,
    selection: Selection,
    into: Uint8Array | undefined,
  ): TensorData {
    const rows = selection[0]!;
    const blocks = blocksOf(weight, matrix, selection);
    const name = JSON.stringify([matrix, bits]);
    const keyOf = (part: string): string => JSON.stringify([part, rows, blocks]);
    // Remaining parts of another matrix are released before more memory is allocated.
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

  /** Releases what has not been requested. */
  clear(): void {
    this.#unasked = undefined;
    this.#spare.length = 0;
  }

  /**
   * The part that was kept: copied if the caller has memory for it, so that its own memory is reused for the next one.
   */
  #moved(kept: Uint8Array | Float32Array, type: DataType, into: Uint8Array | undefined): TensorData {
    if (into === undefined || into.byteLength < kept.byteLength) return kept;
    const moved = allocate(type, kept.length, into);
    bytesOf(moved).set(bytesOf(kept));
    this.#spare.push(new Uint8Array(kept.buffer as ArrayBuffer));
    return moved;
  }
}

/** The blocks of a row that a selection of values or scales covers. */
function blocksOf({ dims, source }: Weight, matrix: StoredMatrix, [, second, third]: Selection): Interval[] {
  const count = Math.ceil(matrix.dims[matrix.transposed ? 0 : 1] / quantizationBlock);
  const isRows = dims.length === 2 && source.kind === "quantized" && source.part === "values";
  const [inner, size] = isRows ? [second, dims[1]] : [third, dims[2]];
  if (inner !== undefined && (inner.length !== 1 || inner[0]![0] !== 0 || inner[0]![1] !== size)) {
    throw new RingrankError("RR_SHAPE", "expected whole blocks of a quantized matrix, got parts of them");
  }
  return isRows ? [[0, count]] : [...second!];
}
