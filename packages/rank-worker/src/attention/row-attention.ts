import type { AttentionOverCache, HeadsInRow } from "@ringrank/policy";
import type { Table } from "../tensors/table.js";
import { type Tensor, tensor, tensorData } from "../tensors/tensor.js";
import type { AttentionKernel } from "./attention-kernel.js";
import { type Indices, indicesOf } from "./indices.js";
import type { StagedInput } from "./staged-input.js";

/**
 * Offsets in the block of arguments, in 32-bit words. `Arguments` in assembly/attention/arguments.ts has the same
 * order.
 */
const word = {
  batch: 0,
  keyValueHeads: 1,
  group: 2,
  lanes: 3,
  past: 4,
  /** Address, bytes between rows, bytes between heads; the same for the next two. */
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
  /** Address, bytes between rows, bytes between heads, for each addend. */
  addend: 26,
} as const;

/**
 * The kernel's outputs for one number of sequences. A class, because V8 13.6 recompiles {@link RowAttention.run} over
 * and over, once in some thirty tokens, if it reads fields of an object literal that was made before (Maglev:
 * "insufficient type feedback").
 */
class Results {
  readonly batch: number;
  readonly context: Tensor;
  readonly presentKeys: Tensor;
  readonly presentValues: Tensor;

  constructor(batch: number, context: Tensor, presentKeys: Tensor, presentValues: Tensor) {
    this.batch = batch;
    this.context = context;
    this.presentKeys = presentKeys;
    this.presentValues = presentValues;
  }
}

/** The inputs other than the cache. */
interface Inputs {
  readonly query: StagedInput;
  readonly key: StagedInput;
  readonly value: StagedInput;
  /** Cosines, then sines, if heads are rotated. */
  readonly angles: readonly StagedInput[];
  readonly addends: readonly StagedInput[];
}

/** One layer's attention of one new row of every sequence, by the kernel instead of a session. */
export class RowAttention {
  readonly #kernel: AttentionKernel;
  readonly #plan: AttentionOverCache;
  readonly #indices: Indices;
  /** The block of arguments. */
  readonly #words: Uint32Array;
  readonly #args: number;
  readonly #inputs: Inputs;
  /** The tensors whose addresses are in the block. A cache uses the same tensors until it grows. */
  #past: { readonly keys: Tensor; readonly values: Tensor } | undefined;
  #results: Results | undefined;

  /**
   * @param block {@link blockLength} zeros in the kernel's memory
   * @param indexOf returns the index of a value in the table
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
    const { projections, angles, addends: added } = this.#indices;
    const input = (index: number) => kernel.input(index);
    this.#inputs = {
      query: input(projections[0]),
      key: input(projections[1]),
      value: input(projections[2]),
      angles: angles.map(input),
      addends: added.map(input),
    };
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
   * @returns false, without any effect, if a session must be used: for more than one new row, a cache in other memory,
   * no room, or if a session is faster
   */
  run(table: Table): boolean {
    const { pastKeys, pastValues, presentKeys, presentValues, context } = this.#indices;
    const keys = table[pastKeys];
    const values = table[pastValues];
    if (keys === undefined || values === undefined || !this.#takePast(keys, values)) return false;
    const batch = keys.dims[0]!;
    const past = keys.dims[2]!;
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
    words[word.scratch] = scratch;
    this.#kernel.attend(this.#args);
    table[context] = results.context;
    table[presentKeys] = results.presentKeys;
    table[presentValues] = results.presentValues;
    return true;
  }

  /** Writes the addresses of the cache; returns false if it is in other memory. */
  #takePast(keys: Tensor, values: Tensor): boolean {
    if (this.#past?.keys === keys && this.#past.values === values) return true;
    const [ofKeys, ofValues] = [tensorData(keys), tensorData(values)];
    const { memory } = this.#kernel;
    if (!memory.holds(ofKeys) || !memory.holds(ofValues)) return false;
    this.#words[word.pastKeys] = ofKeys.byteOffset;
    this.#words[word.pastValues] = ofValues.byteOffset;
    this.#past = { keys, values };
    return true;
  }

  /**
   * Stages the inputs other than the cache and writes their addresses; returns false if one does not have the expected
   * form.
   */
  #takeInputs(table: Readonly<Table>, batch: number, past: number): boolean {
    const { query, key, value, rotary } = this.#plan;
    const inputs = this.#inputs;
    if (
      !this.#takeHeads(word.query, table, inputs.query, query, batch) ||
      !this.#takeHeads(word.key, table, inputs.key, key, batch) ||
      !this.#takeHeads(word.value, table, inputs.value, value, batch)
    ) {
      return false;
    }
    const angles = (batch * (rotary?.lanes ?? 0)) / 2;
    for (let at = 0; at < inputs.angles.length; at++) {
      if (!this.#take(word.cos + at, table, inputs.angles[at]!, angles)) return false;
    }
    for (let at = 0; at < inputs.addends.length; at++) {
      if (!this.#takeAddend(at, table, inputs.addends[at]!, batch, past)) return false;
    }
    return true;
  }

  #takeHeads(
    at: number,
    table: Readonly<Table>,
    input: StagedInput,
    heads: HeadsInRow,
    batch: number,
  ): boolean {
    if (!this.#take(at, table, input, batch * heads.rowWidth)) return false;
    this.#words[at]! += 4 * heads.offset;
    this.#words[at + 1] = 4 * heads.rowWidth;
    this.#words[at + 2] = 4 * heads.headStride;
    return true;
  }

  #takeAddend(
    which: number,
    table: Readonly<Table>,
    input: StagedInput,
    batch: number,
    past: number,
  ): boolean {
    const [rows, heads, queries, keys] = input.dims(table) ?? [];
    const { keyValueHeads, group } = this.#plan;
    if (queries !== 1 || keys !== past + 1 || !(rows === 1 || rows === batch)) return false;
    if (heads !== 1 && heads !== keyValueHeads * group) return false;
    const at = word.addend + 3 * which;
    if (!this.#take(at, table, input, rows * heads * keys)) return false;
    this.#words[at + 1] = rows === 1 ? 0 : 4 * heads * keys;
    this.#words[at + 2] = heads === 1 ? 0 : 4 * keys;
    return true;
  }

  /** Writes the address of `length` floats; returns false if the value is something else. */
  #take(at: number, table: Readonly<Table>, input: StagedInput, length: number): boolean {
    const address = input.address(table, this.#kernel.run, length);
    if (address === undefined) return false;
    this.#words[at] = address;
    return true;
  }

  /** Returns undefined if there is no room. */
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
    this.#results = new Results(
      batch,
      tensor("float32", context, [batch, 1, keyValueHeads * group * lanes]),
      tensor("float32", presentKeys, [batch, keyValueHeads, 1, lanes]),
      tensor("float32", presentValues, [batch, keyValueHeads, 1, lanes]),
    );
    this.#words[word.context] = context.byteOffset;
    this.#words[word.presentKeys] = presentKeys.byteOffset;
    this.#words[word.presentValues] = presentValues.byteOffset;
    return this.#results;
  }
}

/**
 * The kernel's workspace for one head, in floats. For eight queries: the queries, their sums, one query, a tile of 64
 * scores, three vectors of eight, and the positions of the addends. For up to four queries: the same side by side,
 * their sums, and a score for every row. (Finding the rows that these see takes less room than eight queries.)
 */
function scratchLength({ lanes, addends }: AttentionOverCache, past: number): number {
  const ofEight = (8 + 8 + 1) * lanes + (64 + 3) * 8 + addends.length * 8;
  const ofFour = 4 * (3 * lanes + past + 4);
  return Math.max(ofEight, ofFour);
}
