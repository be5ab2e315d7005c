import { type Tensor, tensor } from "../../tensors/tensor.js";
import { blockSize } from "./blocks.js";
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

/** Rows of activations as whole numbers, and the room that they are multiplied in. */
export interface RoundedRows {
  readonly room: ManyRowsRoom;
  readonly groups: readonly { readonly group: Group; readonly panels: readonly RoundedPanel[] }[];
}

interface RoundedPanel {
  readonly values: PanelOperand;
  /** Of its first columns, where those have any. */
  readonly rests: PanelOperand | undefined;
}

/** What strips are multiplied by. */
interface PanelOperand {
  /** `[elements, columns filled up]` */
  readonly bytes: Tensor;
  readonly columns: SumColumns;
}

/**
 * @param x `[rows, the groups' elements]`
 * @param type of whole numbers
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

/** @param rests of how many of the columns there are any */
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
