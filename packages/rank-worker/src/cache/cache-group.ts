import { RingrankError } from "@ringrank/errors";
import type { Cache, DataType } from "@ringrank/model";
import type { Entry, LocalValue, SizeProduct } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { integers } from "../tensors/element-types.js";
import type { InOrder } from "../tensors/in-order.js";
import { type Tensor, tensorData } from "../tensors/tensor.js";
import { RowAppender } from "./row-appender.js";
import { blockRows, ringRows, roundUp } from "./rows.js";
import { StateBuffer, type StateShape } from "./state-buffer.js";

interface GroupState {
  /** Its place among the inputs of the entry that reads it. */
  readonly input: number;
  /** The place of its new rows among the outputs of the entry that computes them; −1 if it does not. */
  readonly output: number;
  /** The name of this output, for errors. */
  readonly present: string;
  readonly buffer: StateBuffer;
}

/** An entry's inputs, and the outputs of it, or of the entry that fills the cache. */
type CachedValues = Pick<Entry, "inputs" | "outputs">;

/**
 * States whose rows are appended and dropped together, for all sequences, and the positions of the rows. A rank without
 * units of attention has no states, and holds nothing.
 */
export class CacheGroup {
  readonly #states: readonly GroupState[];
  /** Undefined if rows are not in kernels' memory. */
  readonly #appender: RowAppender | undefined;
  readonly #positions: (Pick<GroupState, "input" | "buffer"> & { readonly type: DataType }) | undefined;
  /** Rows after which a slot wraps around; Infinity if none are dropped. */
  readonly #ring: number;
  /** Whether slots of different lengths cannot be one tensor, because unused rows would count. */
  readonly exact: boolean;
  #slots = 0;
  #capacity = 0;

  /** @throws RR_POLICY if a state's local shape has symbolic sizes other than batch and past */
  constructor(cache: Cache, { inputs, outputs }: CachedValues, kernels: RankKernels | undefined) {
    const placeOf = (values: readonly LocalValue[], name: string) =>
      values.findIndex((value) => value.name === name);
    this.exact = cache.exact === true;
    this.#ring = ringRows(cache);
    this.#states = cache.states.flatMap(({ past, present, axis }) => {
      const input = placeOf(inputs, past);
      if (input === -1) return [];
      const buffer = new StateBuffer(stateShape(inputs[input]!, axis), this.#ring, kernels?.memory);
      return [{ input, output: placeOf(outputs, present), present, buffer }];
    });
    this.#appender = kernels && RowAppender.of(kernels, this.#states);
    const input = placeOf(inputs, cache.positions);
    if (input !== -1) {
      const { type } = inputs[input]!;
      const buffer = new StateBuffer({ type, outer: [], inner: [], fill: 0xff }, this.#ring);
      this.#positions = { input, buffer, type };
    }
  }

  /** Resizes the group to this many slots, with room for sequences of up to `longest` tokens. */
  resize(slots: number, longest: number): void {
    const capacity = Math.min(this.#ring, roundUp(longest, blockRows));
    if (slots === this.#slots && capacity === this.#capacity) return;
    this.#slots = slots;
    this.#capacity = capacity;
    for (const buffer of this.#buffers()) buffer.resize(slots, capacity);
    this.#appender?.forget();
  }

  /**
   * Puts this group's inputs for slots `[first, first + count)` in their places.
   *
   * @param length if the cache is exact, the number of rows in each of the slots; 0 for no rows in any cache
   */
  addInputs(inputs: (Tensor | undefined)[], first: number, count: number, length: number): void {
    const rows = this.exact || length === 0 ? length : "all";
    for (const { input, buffer } of this.#states) inputs[input] = buffer.view(first, count, rows);
    if (this.#positions) inputs[this.#positions.input] = this.#positions.buffer.view(first, count, rows);
  }

  /**
   * Appends the `count` new rows of one sequence.
   *
   * @param start how many tokens the sequence has had so far
   * @param batchRow the sequence's row in `outputs`
   */
  append(slot: number, start: number, count: number, outputs: InOrder, batchRow: number): void {
    const isAppended = count === 1 && this.#appender?.append(outputs, batchRow, slot, start % this.#ring);
    if (!isAppended) this.#appendEach(slot, start, count, outputs, batchRow);
    if (this.#positions) {
      const positions = Array.from({ length: count }, (_, row) => start + row);
      this.#positions.buffer.append(slot, start, integers(this.#positions.type, positions), 0, count);
    }
  }

  #appendEach(slot: number, start: number, count: number, outputs: InOrder, batchRow: number): void {
    for (const { output, present, buffer } of this.#states) {
      const rows = outputs[output];
      if (rows === undefined) {
        throw new RingrankError(
          "RR_POLICY",
          `expected the entry to return the new cache rows "${present}", got none`,
        );
      }
      buffer.append(slot, start, tensorData(rows), batchRow, count);
    }
  }

  /** Copies of the rows of a slot whose sequence has had `length` tokens, one array per state. */
  take(slot: number, length: number): Uint8Array[] {
    return Array.from(this.#buffers(), (buffer) => buffer.take(slot, Math.min(length, this.#ring)));
  }

  /**
   * Copies the rows of the first `count` tokens into an empty slot, as far as they are among `taken`, the rows of a
   * sequence that had had `length` tokens.
   */
  put(slot: number, taken: readonly Uint8Array[], length: number, count: number): void {
    const oldest = Math.max(0, length - this.#ring);
    for (const [at, buffer] of [...this.#buffers()].entries()) buffer.put(slot, taken[at]!, oldest, count);
  }

  clear(slot: number): void {
    for (const buffer of this.#buffers()) buffer.clear(slot);
  }

  copySlot(from: number, to: number): void {
    for (const buffer of this.#buffers()) buffer.copySlot(from, to);
  }

  swapSlots(one: number, other: number): void {
    for (const buffer of this.#buffers()) buffer.swapSlots(one, other);
  }

  *#buffers(): Iterable<StateBuffer> {
    for (const { buffer } of this.#states) yield buffer;
    if (this.#positions) yield this.#positions.buffer;
  }
}

/** `[batch, …outer, past, …inner]`; only batch and past depend on the call. */
function stateShape({ name, type, dims }: LocalValue, axis: number): StateShape {
  const fixed = (product: SizeProduct): number => {
    if (product.symbols.length === 0) return product.scale;
    throw new RingrankError(
      "RR_POLICY",
      `expected the cache input "${name}" to have a fixed size except for batch and axis ${axis}, got a symbolic size`,
    );
  };
  return { type, outer: dims.slice(1, axis).map(fixed), inner: dims.slice(axis + 1).map(fixed), fill: 0 };
}
