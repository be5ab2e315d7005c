import { skipSmall } from "./skips.js";

/** The `limit` largest offers; ties go to the earlier one. A heap whose root is the smallest of them. */
export class TopCandidates {
  readonly #limit: number;
  readonly #keys: Float64Array;
  readonly #elements: Int32Array;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#keys = new Float64Array(limit);
    this.#elements = new Int32Array(limit);
  }

  /** The key that an offer must exceed; −Infinity while there is room. */
  get threshold(): number {
    return this.#size < this.#limit ? Number.NEGATIVE_INFINITY : this.#keys[0]!;
  }

  /** Offers must come in increasing order of elements. A key of −Infinity is never taken. */
  offer(key: number, element: number): void {
    if (!(key > this.threshold)) return;
    if (this.#size < this.#limit) this.#rise(this.#size++, key, element);
    else this.#sink(key, element);
  }

  /**
   * Offers every key, by its index.
   *
   * @param skip skips keys that are not above the threshold
   * @returns false if a key is NaN or +∞; the candidates are then meaningless
   */
  offerAll(keys: Float32Array, skip = skipSmall(keys)): boolean {
    let threshold = this.threshold;
    let element = 0;
    while (element < keys.length) {
      element = skip(element, threshold);
      for (const end = Math.min(element + 8, keys.length); element < end; element++) {
        const key = keys[element]!;
        if (key <= threshold) continue;
        if (!(key < Number.POSITIVE_INFINITY)) return false;
        this.offer(key, element);
        threshold = this.threshold;
      }
    }
    return true;
  }

  /** Elements by decreasing key, equal keys by increasing element. Leaves the heap empty. */
  sorted(): Int32Array {
    const sorted = new Int32Array(this.#size);
    while (this.#size > 0) {
      const last = --this.#size;
      sorted[last] = this.#elements[0]!;
      this.#sink(this.#keys[last]!, this.#elements[last]!);
    }
    return sorted;
  }

  #rise(from: number, key: number, element: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#less(key, element, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#keys[at] = key;
    this.#elements[at] = element;
  }

  #sink(key: number, element: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#less(this.#keys[right]!, this.#elements[right]!, child)) child = right;
      if (this.#less(key, element, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#keys[at] = key;
    this.#elements[at] = element;
  }

  /** Whether a candidate ranks below the one at `place`: a smaller key, or the same and a later element. */
  #less(key: number, element: number, place: number): boolean {
    const other = this.#keys[place]!;
    return key < other || (key === other && element > this.#elements[place]!);
  }

  #move(from: number, to: number): void {
    this.#keys[to] = this.#keys[from]!;
    this.#elements[to] = this.#elements[from]!;
  }
}
