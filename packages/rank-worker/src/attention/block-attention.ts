import type { AttentionOverCache } from "@ringrank/policy";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import type { Block, BlockMasks } from "./block-masks.js";
import { type Indices, indicesOf } from "./indices.js";
import { type Angles, layRows } from "./lay-rows.js";

type Table = (Tensor | undefined)[];

/** What a layer is given. */
interface Inputs {
  readonly batch: number;
  /** New ones of each sequence. */
  readonly rows: number;
  readonly past: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly angles: Angles | undefined;
  readonly pastKeys: Float32Array;
  readonly pastValues: Float32Array;
}

/** `[batch, rows, heads · lanes]` each; queries and keys turned. */
interface Laid {
  readonly query: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/**
 * One layer's attention of several new rows, block by block, in a session that all layers with such heads share
 * (program/attention-block.ts of the policy). Beside a session with the operators of all rows it spares the scores that
 * a mask takes away, and has the others in a core's own cache.
 */
export class BlockAttention {
  readonly #plan: AttentionOverCache;
  readonly #masks: BlockMasks;
  readonly #indices: Indices;

  /** @param indexOf the place of a value in the table */
  constructor(plan: AttentionOverCache, masks: BlockMasks, indexOf: (value: string) => number) {
    this.#plan = plan;
    this.#masks = masks;
    this.#indices = indicesOf(plan, indexOf);
  }

  /**
   * Puts context and new rows into the table.
   *
   * @param compute runs the block's session
   * @returns false, and nothing is done, where the segment has to do it: one new row, or inputs of another form
   */
  run(table: Table, compute: (feeds: Feeds) => Fetched | Promise<Fetched>): false | Promise<true> {
    const inputs = this.#take(table);
    const addends = this.#indices.addends.map((index) => table[index]);
    if (inputs === undefined || !addends.every((addend) => addend !== undefined)) return false;
    const { batch, rows, past } = inputs;
    const heads = this.#plan.keyValueHeads * this.#plan.group;
    const blocks = this.#masks.of(addends, { batch, heads, rows, past });
    return blocks !== undefined && this.#attend(inputs, blocks, table, compute);
  }

  async #attend(
    inputs: Inputs,
    blocks: readonly Block[],
    table: Table,
    compute: (feeds: Feeds) => Fetched | Promise<Fetched>,
  ): Promise<true> {
    const { batch, rows } = inputs;
    const { keyValueHeads, group, lanes } = this.#plan;
    const laid = this.#lay(inputs);
    const width = keyValueHeads * group * lanes;
    const context = new Float32Array(batch * rows * width);
    for (const block of blocks) {
      const fetched = await compute(this.#feeds(inputs, laid, block));
      const { data } = fetched.context!;
      context.set(data as Float32Array, (block.sequence * rows + block.first) * width);
    }
    const dims = [batch, keyValueHeads, rows, lanes];
    const indices = this.#indices;
    table[indices.context] = tensor("float32", context, [batch, rows, width]);
    table[indices.presentKeys] = tensor("float32", headsFirst(laid.keys, dims), dims);
    table[indices.presentValues] = tensor("float32", headsFirst(laid.values, dims), dims);
    return true;
  }

  #feeds(inputs: Inputs, laid: Laid, { sequence, first, rows, columns, mask }: Block): Feeds {
    const { keyValueHeads, group, lanes } = this.#plan;
    const width = keyValueHeads * lanes;
    const start = sequence * inputs.rows;
    const rowsOf = (all: Float32Array, from: number, count: number, width: number): Tensor =>
      tensor("float32", all.subarray(from * width, (from + count) * width), [1, count, width]);
    const pastOf = (cache: Float32Array): Tensor => {
      const size = width * inputs.past;
      const part = cache.subarray(sequence * size, (sequence + 1) * size);
      return tensor("float32", part, [1, keyValueHeads, inputs.past, lanes]);
    };
    return {
      query: rowsOf(laid.query, start + first, rows, width * group),
      keys: rowsOf(laid.keys, start, columns, width),
      values: rowsOf(laid.values, start, columns, width),
      mask,
      "past keys": pastOf(inputs.pastKeys),
      "past values": pastOf(inputs.pastValues),
    };
  }

  #lay({ query, key, value, angles }: Inputs): Laid {
    const { group, ...plan } = this.#plan;
    return {
      query: layRows(query, plan.query, { ...plan, group }, angles),
      keys: layRows(key, plan.key, { ...plan, group: 1 }, angles),
      values: layRows(value, plan.value, { ...plan, group: 1 }),
    };
  }

  /** Undefined where there is one new row, or an input is not of the form expected. */
  #take(table: Table): Inputs | undefined {
    const { rotary, query: queries } = this.#plan;
    const { projections, angles, ...indices } = this.#indices;
    const [batch, , past] = table[indices.pastKeys]?.dims ?? [];
    const [pastKeys, pastValues] = [floats(table[indices.pastKeys]), floats(table[indices.pastValues])];
    const [query, key, value] = projections.map((index) => floats(table[index]));
    if (batch === undefined || past === undefined || pastKeys === undefined || pastValues === undefined) {
      return undefined;
    }
    if (query === undefined || key === undefined || value === undefined) return undefined;
    const rows = query.length / queries.rowWidth / batch;
    if (rows === 1) return undefined;
    const inputs = { batch, rows, past, query, key, value, pastKeys, pastValues };
    if (rotary === undefined) return { ...inputs, angles: undefined };
    const [cos, sin] = angles.map((index) => floats(table[index]));
    const length = (batch * rows * rotary.lanes) / 2;
    if (cos?.length !== length || sin?.length !== length) return undefined;
    return { ...inputs, angles: { ...rotary, cos, sin } };
  }
}

function floats(value: Tensor | undefined): Float32Array | undefined {
  return value?.data instanceof Float32Array ? value.data : undefined;
}

/** `[batch, heads, rows, lanes]` of `[batch, rows, heads, lanes]`; the same where one head is all. */
function headsFirst(laid: Float32Array, [batch, heads, rows, lanes]: readonly number[]): Float32Array {
  if (heads === 1) return laid;
  const turned = new Float32Array(laid.length);
  let from = 0;
  for (let sequence = 0; sequence < batch!; sequence++) {
    for (let row = 0; row < rows!; row++) {
      for (let head = 0; head < heads!; head++, from += lanes!) {
        const to = ((sequence * heads! + head) * rows! + row) * lanes!;
        turned.set(laid.subarray(from, from + lanes!), to);
      }
    }
  }
  return turned;
}
