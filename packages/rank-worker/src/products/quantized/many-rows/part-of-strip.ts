import { columnsOf, type GroupSums, type SumColumns, type SumRows } from "./group-arithmetic.js";
import type { Group } from "./groups.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import type { StripPart } from "./strips.js";

/** Where the result of a part is written to, from the part's first column on. */
export interface Destination extends SumRows {
  /** The output row of each of a panel's columns. Absent if it equals the row of activations. */
  readonly rowsOfPanel?: Int32Array;
}

/** The work for the rows of one matrix in a strip, apart from the product. */
export class PartOfStrip {
  readonly #part: StripPart;
  readonly #room: ManyRowsRoom;
  readonly #scales: Float32Array;
  readonly #bias: Float32Array | undefined;
  readonly #to: Destination;

  constructor(part: StripPart, room: ManyRowsRoom, to: Destination) {
    this.#part = part;
    this.#room = room;
    this.#scales = room.scales.subarray(part.at);
    this.#bias = part.placed.matrix.bias?.subarray(part.first);
    this.#to = to;
  }

  unpack(group: Group, elements: number): void {
    const { placed, first, count, at } = this.#part;
    const bytes = this.#room.weights.subarray(at * elements, (at + count) * elements);
    this.#room.arithmetic.weights(placed.matrix, first, group, bytes, this.#scales);
  }

  begin(columns: SumColumns): void {
    this.#room.arithmetic.begin(this.#sumsOf(columns), this.#bias, this.#to);
  }

  add(columns: SumColumns, factor: number): void {
    this.#room.arithmetic.add(this.#sumsOf(columns), factor, this.#to);
  }

  #sumsOf(columns: SumColumns): GroupSums {
    const { at, count } = this.#part;
    const sums = at === 0 ? this.#room.sums : this.#room.sums.subarray(at * columnsOf(columns.count));
    const rows = this.#to.rowsOfPanel;
    const placed = rows === undefined ? columns : { ...columns, rows };
    return { sums, scales: this.#scales, columns: placed, count };
  }
}
