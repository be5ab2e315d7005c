import { columnsOf, type SumColumns } from "./group-arithmetic.js";
import type { Group } from "./groups.js";
import type { ManyRowsRoom } from "./many-rows-room.js";
import type { StripPart } from "./strips.js";

/** Where the result of a part is written to. */
export interface Destination {
  /** Starts at the part's first column. */
  readonly out: Float32Array;
  /** Floats of a row. */
  readonly outWidth: number;
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
    const { out, outWidth } = this.#to;
    const { arithmetic } = this.#room;
    const [sums, to] = [this.#sumsOf(columns), this.#placed(columns)];
    arithmetic.begin(sums, this.#scales, to, this.#bias, out, outWidth, this.#part.count);
  }

  add(columns: SumColumns, factor: number): void {
    const { out, outWidth } = this.#to;
    const { arithmetic } = this.#room;
    const [sums, to] = [this.#sumsOf(columns), this.#placed(columns)];
    arithmetic.add(sums, this.#scales, to, factor, out, outWidth, this.#part.count);
  }

  #sumsOf({ count }: SumColumns): Int32Array {
    const { at } = this.#part;
    return at === 0 ? this.#room.sums : this.#room.sums.subarray(at * columnsOf(count));
  }

  #placed(columns: SumColumns): SumColumns {
    const rows = this.#to.rowsOfPanel;
    return rows === undefined ? columns : { ...columns, rows };
  }
}
