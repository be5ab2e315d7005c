import type { DataType, TensorData } from "@ringrank/model";
import { allocate, byteCount, bytesOf, bytesPerElement, elementCount } from "@ringrank/model/weights";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { type CacheMemory, ordinaryMemory } from "./cache-memory.js";

interface View {
  readonly first: number;
  readonly count: number;
  readonly rows: number;
  readonly value: Tensor;
}

/** The shape of a state tensor, apart from its numbers of slots and rows. */
export interface StateShape {
  readonly type: DataType;
  /** Sizes between the batch axis and the growing axis: local heads, for keys and values. */
  readonly outer: readonly number[];
  /** Sizes after the growing axis: the head's lanes. */
  readonly inner: readonly number[];
  /** The byte that fills unused rows: 0, or 0xff for −1 in any integer type. */
  readonly fill: 0 | 0xff;
}

/** `data` is `[slots, outer, capacity]` rows. */
interface StateLayout {
  readonly data: TensorData;
  readonly outer: number;
  readonly capacity: number;
  readonly rowBytes: number;
}

/**
 * One state of every sequence: a tensor `[slots, …outer, capacity, …inner]` that is fed to sessions in place. Any range
 * of adjacent slots is a tensor too, without a copy. Rows are placed modulo `ring`, so if a window limits what is kept,
 * a new row replaces one that has left the window. Attention reads the positions as well, so the order of rows does not
 * matter.
 */
export class StateBuffer {
  readonly #shape: StateShape;
  readonly #ring: number;
  readonly #memory: CacheMemory;
  /** Rows of `inner` in one slot, per row of the growing axis. */
  readonly #outer: number;
  readonly #rowBytes: number;
  #slots = 0;
  #capacity = 0;
  #data: TensorData;
  #bytes: Uint8Array;
  /** The last view in place. Steps of a sequence use the same one until the buffer grows. */
  #view: View | undefined;

  /** @param ring rows after which a slot wraps around; Infinity if nothing is dropped */
  constructor(shape: StateShape, ring: number, memory: CacheMemory = ordinaryMemory) {
    this.#shape = shape;
    this.#ring = ring;
    this.#memory = memory;
    this.#outer = elementCount(shape.outer);
    this.#rowBytes = byteCount(shape.type, shape.inner);
    this.#data = memory.allocate(shape.type, 0);
    this.#bytes = bytesOf(this.#data);
  }

  /**
   * Slots `[first, first + count)` as a tensor of all rows there is room for, or of the first `rows`. It is a view on
   * this buffer for all rows or none, else a copy.
   */
  view(first: number, count: number, rows: "all" | number): Tensor {
    const wanted = rows === "all" ? this.#capacity : rows;
    const last = this.#view;
    if (last?.first === first && last.count === count && last.rows === wanted) return last.value;
    const dims = [count, ...this.#shape.outer, wanted, ...this.#shape.inner];
    const elements = elementCount(dims);
    if (wanted === this.#capacity || elements === 0) {
      const start = elements === 0 ? 0 : (first * elements) / count;
      const value = tensor(this.#shape.type, this.#data.subarray(start, start + elements), dims);
      this.#view = { first, count, rows: wanted, value };
      return value;
    }
    const data = allocate(this.#shape.type, elements);
    const bytes = bytesOf(data);
    const [from, to] = [this.#capacity * this.#rowBytes, wanted * this.#rowBytes];
    for (let block = 0; block < count * this.#outer; block++) {
      const start = (first * this.#outer + block) * from;
      bytes.set(this.#bytes.subarray(start, start + to), block * to);
    }
    return tensor(this.#shape.type, data, dims);
  }

  /** Where the rows are. */
  get layout(): StateLayout {
    return {
      data: this.#data,
      outer: this.#outer,
      capacity: this.#capacity,
      rowBytes: this.#rowBytes,
    };
  }

  /** Resizes the buffer to this many slots and rows, and moves the old content that fits to its new place. */
  resize(slots: number, capacity: number): void {
    const before = { data: this.#data, bytes: this.#bytes, slots: this.#slots, capacity: this.#capacity };
    this.#slots = slots;
    this.#capacity = capacity;
    this.#view = undefined;
    const rowsPerSlot = this.#outer * capacity;
    this.#data = this.#memory.allocate(
      this.#shape.type,
      (slots * rowsPerSlot * this.#rowBytes) / bytesPerElement[this.#shape.type],
    );
    this.#bytes = bytesOf(this.#data);
    if (this.#shape.fill !== 0) this.#bytes.fill(this.#shape.fill);

    const [from, to] = [before.capacity * this.#rowBytes, capacity * this.#rowBytes];
    const kept = Math.min(from, to);
    const blocks = Math.min(before.slots, slots) * this.#outer;
    for (let block = 0; block < blocks; block++) {
      this.#bytes.set(before.bytes.subarray(block * from, block * from + kept), block * to);
    }
    this.#memory.release(before.data);
  }

  /**
   * Adds new rows to a slot. The buffer must have room for them.
   *
   * @param source `[batch, …outer, count, …inner]`; row `sourceRow` of the batch is used
   * @param start how many rows the slot's sequence has had so far
   */
  append(slot: number, start: number, source: TensorData, sourceRow: number, count: number): void {
    const rowElements = this.#rowBytes / bytesPerElement[this.#shape.type];
    const blockElements = this.#capacity * rowElements;
    for (let outer = 0; outer < this.#outer; outer++) {
      const sourceBlock = (sourceRow * this.#outer + outer) * count;
      const target = (slot * this.#outer + outer) * blockElements;
      let row = Math.max(0, count - this.#ring);
      while (row < count) {
        const place = (start + row) % this.#ring;
        const rows = Math.min(count - row, this.#ring - place);
        const first = (sourceBlock + row) * rowElements;
        copyElements(source, first, this.#data, target + place * rowElements, rows * rowElements);
        row += rows;
      }
    }
  }

  /** A copy of a slot's first `rows` rows, by place: `[…outer, rows, …inner]`. */
  take(slot: number, rows: number): Uint8Array {
    const bytes = rows * this.#rowBytes;
    const taken = new Uint8Array(this.#outer * bytes);
    const source = this.#slot(slot);
    for (let outer = 0; outer < this.#outer; outer++) {
      const start = outer * this.#capacity * this.#rowBytes;
      taken.set(source.subarray(start, start + bytes), outer * bytes);
    }
    return taken;
  }

  /** Copies the rows of positions `[first, end)` into a slot, from what {@link take} returned. There must be room. */
  put(slot: number, taken: Uint8Array, first: number, end: number): void {
    const target = this.#slot(slot);
    const bytes = taken.length / this.#outer;
    for (let outer = 0; outer < this.#outer; outer++) {
      for (let position = first; position < end; ) {
        const place = position % this.#ring;
        const rows = Math.min(end - position, this.#ring - place);
        const from = outer * bytes + place * this.#rowBytes;
        const to = (outer * this.#capacity + place) * this.#rowBytes;
        target.set(taken.subarray(from, from + rows * this.#rowBytes), to);
        position += rows;
      }
    }
  }

  clear(slot: number): void {
    this.#slot(slot).fill(this.#shape.fill);
  }

  copySlot(from: number, to: number): void {
    this.#slot(to).set(this.#slot(from));
  }

  swapSlots(one: number, other: number): void {
    const kept = this.#slot(one).slice();
    this.copySlot(other, one);
    this.#slot(other).set(kept);
  }

  #slot(slot: number): Uint8Array {
    const bytes = this.#outer * this.#capacity * this.#rowBytes;
    return this.#bytes.subarray(slot * bytes, (slot + 1) * bytes);
  }
}

/**
 * Copies between arrays with elements of equal size. A decode step copies a few floats for every head of every layer,
 * without creating a view for each. (This only works for floats, because a loop over arrays of several types creates an
 * object for every element.) Everything else is copied as bytes: halves may arrive in a Float16Array and be stored in a
 * Uint16Array, between which `set` would convert numbers.
 */
function copyElements(source: TensorData, from: number, target: TensorData, to: number, count: number): void {
  if (count <= fewFloats && source instanceof Float32Array && target instanceof Float32Array) {
    for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
  } else {
    const size = target.BYTES_PER_ELEMENT;
    bytesOf(target).set(bytesOf(source).subarray(from * size, (from + count) * size), to * size);
  }
}

/** Up to this many, a loop is as fast as a copy through a view. */
const fewFloats = 256;
