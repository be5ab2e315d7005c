import { copyRows } from "../copy-rows.js";
import { columnsOf, type GroupActivations } from "./group-arithmetic.js";
import type { Group } from "./groups.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import type { Panel } from "./panels.js";
import type { StripPart } from "./strips.js";

/** What there is to do for rows of one matrix in a strip, beside the product. */
export class PartOfStrip {
  readonly #part: StripPart;
  readonly #room: ManyRowsRoom;
  readonly #scales: Float32Array;
  readonly #out: Float32Array;
  readonly #outWidth: number;
  /** Where what was made elsewhere belongs. */
  readonly #target: Float32Array | undefined;
  readonly #targetWidth: number;

  constructor(part: StripPart, room: ManyRowsRoom, targets: readonly Float32Array[]) {
    const { placed, first, count, at } = part;
    const target = targets[placed.output]!;
    this.#part = part;
    this.#room = room;
    this.#scales = room.scales.subarray(at);
    this.#targetWidth = target.length / room.rows;
    const isNear = room.holds(target);
    this.#target = isNear ? undefined : target;
    this.#out = isNear ? target.subarray(placed.matrix.offset + first) : room.out.subarray(room.rows * at);
    this.#outWidth = isNear ? this.#targetWidth : count;
  }

  unpack(group: Group, elements: number): void {
    const { placed, first, count, at } = this.#part;
    const bytes = this.#room.weights.subarray(at * elements, (at + count) * elements);
    this.#room.arithmetic.weights(placed.matrix, first, group, bytes, this.#scales);
  }

  begin(activations: GroupActivations, panel: Panel): void {
    const { placed, first, count } = this.#part;
    const bias = placed.matrix.bias?.subarray(first);
    const sums = this.#sumsOf(panel);
    const { arithmetic } = this.#room;
    arithmetic.begin(sums, this.#scales, activations, panel, bias, this.#out, this.#outWidth, count);
  }

  add(activations: GroupActivations, panel: Panel, factor: number): void {
    const { count } = this.#part;
    const sums = this.#sumsOf(panel);
    const { arithmetic } = this.#room;
    arithmetic.add(sums, this.#scales, activations, panel, factor, this.#out, this.#outWidth, count);
  }

  finish(): void {
    if (this.#target === undefined) return;
    const { placed, first, count } = this.#part;
    const made = this.#out.subarray(0, this.#room.rows * count);
    copyRows(made, count, this.#target, this.#targetWidth, placed.matrix.offset + first);
  }

  #sumsOf({ columns }: Panel): Int32Array {
    return this.#room.sums.subarray(this.#part.at * columnsOf(columns));
  }
}
