import { copyRows } from "../../copy-rows.js";
import type { Epilogue } from "../../epilogue.js";
import type { SumColumns } from "./group-arithmetic.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import { panelColumns } from "./panels.js";
import type { Destination } from "./part-of-strip.js";
import type { StripAcross, StripPart } from "./strips.js";

/** Receives the results of strips. */
export interface StripResults<S> {
  destinationOf(part: StripPart, strip: S): Destination;
  /** Called when the group's products of these columns have been added. */
  finishPanel(strip: S, columns: SumColumns): void;
  /** Called when all groups of the strip have been added. */
  finish(strip: S): void;
}

/** Writes to rows of the step's outputs: directly if kernels can write there, else from the workspace. */
export class ToOutputs implements StripResults<{ readonly parts: readonly StripPart[] }> {
  readonly #room: ManyRowsRoom;
  readonly #targets: readonly Float32Array[];

  /** @param targets by output */
  constructor(room: ManyRowsRoom, targets: readonly Float32Array[]) {
    this.#room = room;
    this.#targets = targets;
  }

  destinationOf(part: StripPart): Destination {
    const target = this.#targets[part.placed.output]!;
    if (!this.#room.holds(target)) return this.#inRoom(part);
    return { out: target.subarray(columnOf(part)), outWidth: target.length / this.#room.rows };
  }

  finishPanel(): void {}

  finish({ parts }: { readonly parts: readonly StripPart[] }): void {
    for (const part of parts) {
      const target = this.#targets[part.placed.output]!;
      if (this.#room.holds(target)) continue;
      const { out, outWidth } = this.#inRoom(part);
      const made = { data: out.subarray(0, this.#room.rows * outWidth), width: outWidth };
      copyRows(made, { data: target, width: target.length / this.#room.rows, offset: columnOf(part) });
    }
  }

  #inRoom({ at, count }: StripPart): Destination {
    return { out: this.#room.out.subarray(this.#room.rows * at), outWidth: count };
  }
}

/**
 * Writes to a block of workspace for each output, and the epilogue's result to a target. If a row has only one group of
 * elements, the products of a panel are complete before those of the next one start, so blocks only have the panel's
 * rows and stay in a core's own cache. With several groups, which order rows differently, blocks have all rows.
 */
export class ToEpilogue implements StripResults<StripAcross> {
  readonly #room: ManyRowsRoom;
  readonly #epilogue: Epilogue;
  /** Columns of a block. */
  readonly #columns: number;
  readonly #target: Float32Array;
  readonly #isByPanel: boolean;
  readonly #inOrder: Int32Array;

  /**
   * @param columns the most columns of a strip
   * @param isByPanel whether there is only one group
   */
  constructor(
    room: ManyRowsRoom,
    epilogue: Epilogue,
    columns: number,
    target: Float32Array,
    isByPanel: boolean,
  ) {
    this.#room = room;
    this.#epilogue = epilogue;
    this.#columns = columns;
    this.#target = target;
    this.#isByPanel = isByPanel;
    this.#inOrder = room.rowsInOrder();
  }

  destinationOf(part: StripPart, { from, columns }: StripAcross): Destination {
    const out = this.#blockOf(part.placed.output).subarray(columnOf(part) - from);
    const to = { out, outWidth: columns };
    return this.#isByPanel ? { ...to, rowsOfPanel: this.#inOrder } : to;
  }

  finishPanel(strip: StripAcross, { rows }: SumColumns): void {
    if (this.#isByPanel) this.#make(strip, rows);
  }

  finish(strip: StripAcross): void {
    if (!this.#isByPanel) this.#make(strip, this.#inOrder);
  }

  /** @param rows the target rows of a block's rows */
  #make({ from, columns }: StripAcross, rows: Int32Array): void {
    const { list, inputs } = this.#epilogue;
    const width = this.#target.length / this.#room.rows;
    const addresses = inputs.map((output) => this.#blockOf(output).byteOffset);
    addresses.push(this.#target.byteOffset + 4 * from);
    list.runRows(addresses, columns, rows, 4 * width);
  }

  #blockOf(output: number): Float32Array {
    const rows = this.#isByPanel ? Math.min(this.#room.rows, panelColumns) : this.#room.rows;
    return this.#room.out.subarray(output * rows * this.#columns);
  }
}

/** The position of a part's first column in a row of its output. */
function columnOf({ placed, first }: StripPart): number {
  return placed.matrix.offset + first;
}
