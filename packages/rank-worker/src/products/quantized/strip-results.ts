import { copyRows } from "../copy-rows.js";
import type { Epilogue } from "../epilogue.js";
import type { SumColumns } from "./group-arithmetic.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import { panelColumns } from "./panels.js";
import type { Destination } from "./part-of-strip.js";
import type { StripAcross, StripPart } from "./strips.js";

/** Where results of strips go. */
export interface StripResults<S> {
  destinationOf(part: StripPart, strip: S): Destination;
  /** When the group's products of these columns are added up. */
  finishPanel(strip: S, columns: SumColumns): void;
  /** When all groups of the strip are added up. */
  finish(strip: S): void;
}

/** To rows of the step's outputs: at once where kernels write there, else from the room. */
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
      const made = out.subarray(0, this.#room.rows * outWidth);
      copyRows(made, outWidth, target, target.length / this.#room.rows, columnOf(part));
    }
  }

  #inRoom({ at, count }: StripPart): Destination {
    return { out: this.#room.out.subarray(this.#room.rows * at), outWidth: count };
  }
}

/**
 * To a block of room for each output, and what an epilogue makes of them to a target. With one group of a row's elements
 * a panel's products are done before the next one's are begun, so that blocks have its rows alone, and stay in a core's
 * own cache. Groups have orders of their own of rows, so that with several blocks have all.
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
   * @param columns of a strip, at most
   * @param isByPanel whether there is one group
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

  /** @param rows of the target that those of a block are */
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

/** Where a part's first column is in a row of its output. */
function columnOf({ placed, first }: StripPart): number {
  return placed.matrix.offset + first;
}
