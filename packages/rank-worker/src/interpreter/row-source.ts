import { elementCount } from "@ringrank/model/weights";
import type { InterpretedTable, InterpretedType, QuantizedBlocks } from "@ringrank/policy";
import type { WeightRows } from "../tensors/weight-rows.js";
import type { SmallData, SmallValue } from "./small-value.js";

/** What rows, or larger parts along the first axis, are gathered from. */
export interface RowSource {
  readonly type: InterpretedType;
  readonly dims: readonly number[];
  /** Whether the elements do not change between runs. */
  readonly isFixed: boolean;
  /** Writes the elements of a row, from index `at` on. */
  copy(row: number, into: SmallData, at: number): void;
}

export function rowsOfValue(x: SmallValue): RowSource {
  const width = elementCount(x.dims.slice(1));
  return {
    type: x.type,
    dims: x.dims,
    isFixed: x.isFixed,
    copy: (row, into, at) => into.set(x.data.subarray(row * width, (row + 1) * width), at),
  };
}

/** @param rowsOf the rows of a weight of the table, by name */
export function rowsOfTable(
  { values, blocks }: InterpretedTable,
  rowsOf: (weight: string) => WeightRows,
): RowSource {
  const rows = rowsOf(values);
  if (blocks !== undefined) return new DequantizedRows(rows, blocks, rowsOf);
  return {
    type: "float32",
    dims: rows.dims,
    isFixed: true,
    copy: (row, into, at) => rows.copy(row, into, at),
  };
}

/** Rows of a table that is quantized in blocks, computed as GatherBlockQuantized does: one product in float32 each. */
class DequantizedRows implements RowSource {
  readonly type = "float32";
  readonly isFixed = true;
  readonly dims: readonly number[];
  readonly #blocks: QuantizedBlocks;
  readonly #rows: {
    readonly values: WeightRows;
    readonly scales: WeightRows;
    readonly zeros: WeightRows | undefined;
  };
  /** Those of one row. */
  readonly #values: Uint8Array;
  readonly #scales: Float32Array;
  readonly #zeros: Uint8Array;

  constructor(values: WeightRows, blocks: QuantizedBlocks, rowsOf: (weight: string) => WeightRows) {
    const [rows, bytes] = values.dims as [number, number];
    const zeros = blocks.zeroPoints === undefined ? undefined : rowsOf(blocks.zeroPoints);
    this.dims = [rows, (bytes * 8) / blocks.bits];
    this.#blocks = blocks;
    this.#rows = { values, scales: rowsOf(blocks.scales), zeros };
    this.#values = new Uint8Array(bytes);
    this.#scales = new Float32Array(this.#rows.scales.dims[1]!);
    this.#zeros = new Uint8Array(zeros?.dims[1] ?? 0);
  }

  copy(row: number, into: SmallData, at: number): void {
    const { values, scales, zeros } = this.#rows;
    values.copy(row, this.#values, 0);
    scales.copy(row, this.#scales, 0);
    zeros?.copy(row, this.#zeros, 0);
    const { bits, size } = this.#blocks;
    const width = this.dims[1]!;
    for (let block = 0, i = 0; i < width; block++) {
      const zero = zeros === undefined ? 1 << (bits - 1) : unpacked(this.#zeros, block, bits);
      const scale = this.#scales[block]!;
      const end = Math.min(i + size, width);
      for (; i < end; i++) into[at + i] = (unpacked(this.#values, i, bits) - zero) * scale;
    }
  }
}

/** The number at an index of those that are packed into bytes, the first of a byte in its lowest bits. */
function unpacked(bytes: Uint8Array, index: number, bits: number): number {
  const bit = index * bits;
  return (bytes[bit >> 3]! >> (bit & 7)) & ((1 << bits) - 1);
}
