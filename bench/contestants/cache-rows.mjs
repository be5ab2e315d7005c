import { fillStates } from "./prompts.mjs";

/** The number of rows by which a cache grows, as in Ringrank. */
const blockRows = 64;

/**
 * The keys and values of one sequence, fed to a session in place: tensors with a whole number of blocks, whose unused
 * rows have position −1.
 */
export class CacheRows {
  #ort;
  #graph;
  #capacity = 0;
  #positions;
  /** By `past` input: data `[1, heads, capacity, lanes]`. */
  #states = new Map();
  #feeds = {};
  length = 0;

  constructor(graph, ort) {
    this.#ort = ort;
    this.#graph = graph;
    this.reserve(0);
  }

  /** The inputs of a step; their data is the cache itself. */
  get feeds() {
    return this.#feeds;
  }

  /** Reserves space for `rows` rows, in whole blocks. */
  reserve(rows) {
    const capacity = Math.ceil(rows / blockRows) * blockRows;
    if (capacity === this.#capacity && this.#positions !== undefined) return;
    const { Tensor } = this.#ort;
    const [cache] = this.#graph.caches;
    const positions = new BigInt64Array(capacity).fill(-1n);
    if (this.#positions !== undefined) positions.set(this.#positions.subarray(0, this.length));
    this.#positions = positions;
    this.#feeds[cache.positions] = new Tensor("int64", positions, [1, capacity]);
    for (const { past } of cache.states) {
      const [heads, lanes] = this.#sizes(past);
      const grown = new Float32Array(heads * capacity * lanes);
      const before = this.#states.get(past);
      for (let head = 0; head < heads && before !== undefined; head++) {
        const from = head * this.#capacity * lanes;
        grown.set(before.subarray(from, from + this.length * lanes), head * capacity * lanes);
      }
      this.#states.set(past, grown);
      this.#feeds[past] = new Tensor("float32", grown, [1, heads, capacity, lanes]);
    }
    this.#capacity = capacity;
  }

  /** Adds a step's new rows, by the name of its outputs. */
  append(outputs, rows) {
    const [cache] = this.#graph.caches;
    this.reserve(this.length + rows);
    for (let row = 0; row < rows; row++) this.#positions[this.length + row] = BigInt(this.length + row);
    for (const { past, present } of cache.states) {
      const [heads, lanes] = this.#sizes(past);
      const kept = this.#states.get(past);
      const { data } = outputs[present];
      for (let head = 0; head < heads; head++) {
        const added = data.subarray(head * rows * lanes, (head + 1) * rows * lanes);
        kept.set(added, (head * this.#capacity + this.length) * lanes);
      }
    }
    this.length += rows;
  }

  /** Adds `rows` rows that were not computed. */
  fill(rows) {
    this.reserve(rows);
    for (let row = 0; row < rows; row++) this.#positions[row] = BigInt(row);
    for (const data of this.#states.values()) fillStates(data);
    this.length = rows;
  }

  #sizes(past) {
    const [, heads, , lanes] = this.#graph.inputs.find(({ name }) => name === past).dims;
    return [heads, lanes];
  }
}
