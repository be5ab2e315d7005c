import type { AttentionOverCache, HeadsInRow } from "@ringrank/policy";
import { type Tensor, tensor, tensorData } from "../tensors/tensor.js";
import type { AttentionKernel } from "./attention-kernel.js";
import { type Indices, indicesOf } from "./indices.js";

/** Places in the block of arguments, in 32-bit words. `Arguments` in assembly/arguments.ts has the same order. */
const word = {
  batch: 0,
  keyValueHeads: 1,
  group: 2,
  lanes: 3,
  past: 4,
  /** Address, bytes from row to row, bytes from head to head; likewise the next two. */
  query: 5,
  key: 8,
  value: 11,
  pastKeys: 14,
  pastValues: 15,
  presentKeys: 16,
  presentValues: 17,
  context: 18,
  scale: 19,
  rotaryLanes: 20,
  interleaved: 21,
  cos: 22,
  sin: 23,
  scratch: 24,
  addends: 25,
  /** Address, bytes from row to row, bytes from head to head, for each. */
  addend: 26,
} as const;

/** What the kernel gives and works in, for one number of sequences. */
interface Results {
  readonly batch: number;
  readonly context: Tensor;
  readonly presentKeys: Tensor;
  readonly presentValues: Tensor;
}

type Table = readonly (Tensor | undefined)[];

/** One layer's attention of one new row of every sequence, by the kernel instead of a session. */
export class RowAttention {
  readonly #kernel: AttentionKernel;
  readonly #plan: AttentionOverCache;
  readonly #indices: Indices;
  /** The block of arguments. */
  readonly #words: Uint32Array;
  readonly #args: number;
  #results: Results | undefined;

  /**
   * @param block {@link blockLength} zeros of the kernel's memory
   * @param indexOf the place of a value in the table
   */
  constructor(
    kernel: AttentionKernel,
    plan: AttentionOverCache,
    block: Float32Array,
    indexOf: (value: string) => number,
  ) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#indices = indicesOf(plan, indexOf);
    const { keyValueHeads, group, lanes, scale, rotary, addends } = plan;
    const words = new Uint32Array(block.buffer, block.byteOffset, block.length);
    words.set([keyValueHeads, group, lanes], word.keyValueHeads);
    block[word.scale] = scale;
    words[word.rotaryLanes] = rotary?.lanes ?? 0;
    words[word.interleaved] = rotary?.interleaved ? 1 : 0;
    words[word.addends] = addends.length;
    this.#words = words;
    this.#args = block.byteOffset;
  }

  static blockLength({ addends }: AttentionOverCache): number {
    return word.addend + 3 * addends.length;
  }

  /**
   * Puts context and new rows into the table.
   *
   * @returns false, and nothing is done, where a session has to do it: more than one new row, a cache that lies
   * elsewhere, no room, or a session that is faster
   */
  run(table: (Tensor | undefined)[]): boolean {
    const { pastKeys, pastValues, presentKeys, presentValues, context } = this.#indices;
    const keys = table[pastKeys];
    const values = table[pastValues];
    if (keys === undefined || values === undefined) return false;
    if (!this.#kernel.memory.holds(tensorData(keys)) || !this.#kernel.memory.holds(tensorData(values))) {
      return false;
    }
    const [batch, past] = [keys.dims[0]!, keys.dims[2]!];
    const { keyValueHeads, group, lanes } = this.#plan;
    const scored = batch * keyValueHeads * group * (past + 1);
    if (!this.#kernel.pays(2 * scored * lanes)) return false;
    const scratch = this.#kernel.scratch(scratchLength(this.#plan, past));
    const results = this.#resultsFor(batch);
    if (scratch === undefined || results === undefined) return false;
    if (!this.#takeInputs(table, batch, past)) return false;

    const words = this.#words;
    words[word.batch] = batch;
    words[word.past] = past;
    words[word.pastKeys] = tensorData(keys).byteOffset;
    words[word.pastValues] = tensorData(values).byteOffset;
    words[word.presentKeys] = tensorData(results.presentKeys).byteOffset;
    words[word.presentValues] = tensorData(results.presentValues).byteOffset;
    words[word.context] = tensorData(results.context).byteOffset;
    words[word.scratch] = scratch;
    this.#kernel.attend(this.#args);
    table[context] = results.context;
    table[presentKeys] = results.presentKeys;
    table[presentValues] = results.presentValues;
    return true;
  }

  /** Stages what is read besides the cache and says where it is; false where that is not of the form expected. */
  #takeInputs(table: Table, batch: number, past: number): boolean {
    const { query, key, value, rotary } = this.#plan;
    const { projections, angles } = this.#indices;
    return (
      this.#takeHeads(word.query, table, projections[0], query, batch) &&
      this.#takeHeads(word.key, table, projections[1], key, batch) &&
      this.#takeHeads(word.value, table, projections[2], value, batch) &&
      (rotary === undefined ||
        (this.#takeAngles(word.cos, table, angles[0]!, (batch * rotary.lanes) / 2) &&
          this.#takeAngles(word.sin, table, angles[1]!, (batch * rotary.lanes) / 2))) &&
      this.#indices.addends.every((index, at) => this.#takeAddend(at, table, index, batch, past))
    );
  }

  #takeHeads(at: number, table: Table, index: number, heads: HeadsInRow, batch: number): boolean {
    const address = this.#stage(table, index, batch * heads.rowWidth);
    if (address === undefined) return false;
    this.#words[at] = address + 4 * heads.offset;
    this.#words[at + 1] = 4 * heads.rowWidth;
    this.#words[at + 2] = 4 * heads.headStride;
    return true;
  }

  #takeAngles(at: number, table: Table, index: number, length: number): boolean {
    const address = this.#stage(table, index, length);
    if (address === undefined) return false;
    this.#words[at] = address;
    return true;
  }

  #takeAddend(which: number, table: Table, index: number, batch: number, past: number): boolean {
    const [rows, heads, queries, keys] = table[index]?.dims ?? [];
    const { keyValueHeads, group } = this.#plan;
    if (queries !== 1 || keys !== past + 1 || !(rows === 1 || rows === batch)) return false;
    if (heads !== 1 && heads !== keyValueHeads * group) return false;
    const address = this.#stage(table, index, rows * heads * keys);
    if (address === undefined) return false;
    const at = word.addend + 3 * which;
    this.#words[at] = address;
    this.#words[at + 1] = rows === 1 ? 0 : 4 * heads * keys;
    this.#words[at + 2] = heads === 1 ? 0 : 4 * keys;
    return true;
  }

  /** The address of a float tensor of this length; undefined where it is none. */
  #stage(table: Table, index: number, length: number): number | undefined {
    const data = table[index]?.data;
    return data instanceof Float32Array && data.length === length
      ? this.#kernel.stage(index, data)
      : undefined;
  }

  /** Undefined where there is no room. */
  #resultsFor(batch: number): Results | undefined {
    if (this.#results?.batch === batch) return this.#results;
    const { memory } = this.#kernel;
    if (this.#results !== undefined) {
      const { context, presentKeys, presentValues } = this.#results;
      for (const old of [context, presentKeys, presentValues]) memory.release(tensorData(old));
      this.#results = undefined;
    }
    const { keyValueHeads, group, lanes } = this.#plan;
    const context = memory.floats(batch * keyValueHeads * group * lanes);
    const rows = [0, 1].map(() => memory.floats(batch * keyValueHeads * lanes));
    const [presentKeys, presentValues] = rows;
    if (context === undefined || presentKeys === undefined || presentValues === undefined) return undefined;
    this.#results = {
      batch,
      context: tensor("float32", context, [batch, 1, keyValueHeads * group * lanes]),
      presentKeys: tensor("float32", presentKeys, [batch, keyValueHeads, 1, lanes]),
      presentValues: tensor("float32", presentValues, [batch, keyValueHeads, 1, lanes]),
    };
    return this.#results;
  }
}

/**
 * Floats that the kernel works in for one head: for eight queries, these, their sums, one query, a tile of 32 scores,
 * three vectors of eight, and the places of what is added; or for up to four, these, the same side by side, their sums,
 * and a score for every row.
 */
function scratchLength({ lanes, addends }: AttentionOverCache, past: number): number {
  const ofEight = (8 + 8 + 1) * lanes + (32 + 3) * 8 + addends.length * 8;
  const ofFour = 4 * (3 * lanes + past + 4);
  return Math.max(ofEight, ofFour);
}
