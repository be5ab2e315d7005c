import { type Tensor, tensor } from "../../../tensors/tensor.js";
import { blockSize } from "../blocks.js";
import {
  type ActivationBytes,
  columnsOf,
  type GroupActivations,
  type SumColumns,
} from "./group-arithmetic.js";
import type { Group } from "./groups.js";
import type { ActivationType } from "./integer-product.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import { panelsOf } from "./panels.js";

/** Rows of activations as integers, and the workspace for multiplying them. */
export interface RoundedRows {
  readonly room: ManyRowsRoom;
  readonly groups: readonly { readonly group: Group; readonly panels: readonly RoundedPanel[] }[];
}

interface RoundedPanel {
  readonly values: PanelOperand;
  /** For the first columns, if they have rests. */
  readonly rests: PanelOperand | undefined;
}

/** The right operand for strips. */
interface PanelOperand {
  /** `[elements, padded columns]` */
  readonly bytes: Tensor;
  readonly columns: SumColumns;
}

/**
 * @param x `[rows, the groups' elements]`
 * @param type the integer type
 */
export function roundedRows(
  x: Float32Array,
  groups: readonly Group[],
  room: ManyRowsRoom,
  type: ActivationType,
): RoundedRows {
  const near = room.near(x);
  const width = x.length / room.rows;
  const rounded = groups.map((group, at) => {
    const activations = room.groups[at]!;
    const rests = room.arithmetic.activations(near, width, group, activations);
    return { group, panels: panelsIn(activations, group, room.rows, rests, type) };
  });
  return { room, groups: rounded };
}

/** @param rests how many of the columns have rests */
function panelsIn(
  activations: GroupActivations,
  { blocks }: Group,
  columns: number,
  rests: number,
  type: ActivationType,
): RoundedPanel[] {
  const elements = blocks * blockSize;
  const operand = (bytes: ActivationBytes, first: number, count: number): PanelOperand => {
    const filled = columnsOf(count);
    const start = first * elements;
    return {
      bytes: tensor(type, bytes.subarray(start, start + filled * elements), [elements, filled]),
      columns: {
        count,
        scales: activations.scales.subarray(first),
        rows: activations.order.subarray(first, first + count),
      },
    };
  };
  return panelsOf(columns).map(({ first, columns }) => ({
    values: operand(activations.values, first, columns),
    rests: rests > first ? operand(activations.rests, first, Math.min(columns, rests - first)) : undefined,
  }));
}
