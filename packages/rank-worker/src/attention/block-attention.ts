import type { AttentionOverCache, HeadsInRow } from "@ringrank/policy";
import type { Tensor } from "onnxruntime-node";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { tensor } from "../tensors/tensor.js";
import type { Block, BlockMasks } from "./block-masks.js";
import { type Angles, layRows } from "./lay-rows.js";

type Table = (Tensor | undefined)[];

/** One layer's new rows, as a block's session reads them. */
interface Rows {
  readonly batch: number;
  /** Of each sequence. */
  readonly rows: number;
  readonly past: number;
  /** `[batch, rows, heads · lanes]` each; queries and keys turned. */
  readonly query: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly pastKeys: Float32Array;
  readonly pastValues: Float32Array;
}

/**
 * One layer's attention of several new rows, block by block, in a session that all layers with such heads share
 * (program/attention-block.ts of the policy). Beside a session with the operators of all rows it spares the scores that
 * a mask takes away, and has the others in a core's own cache.
 */
export class BlockAttention {
  readonly #plan: AttentionOverCache;
  readonly #masks: BlockMasks;
  /** Places in the table, by name. */
  readonly #places: ReadonlyMap<string, number>;

  /** @param indexOf the place of a value in the table */
  constructor(plan: AttentionOverCache, masks: BlockMasks, indexOf: (value: string) => number) {
    this.#plan = plan;
    this.#masks = masks;
    this.#places = new Map(namesOf(plan).map((name) => [name, indexOf(name)]));
  }

  /**
   * Puts context and new rows into the table.
   *
   * @param compute runs the block's session
   * @returns false, and nothing is done, where the segment has to do it: one new row, or inputs of another form
   */
  async run(table: Table, compute: (feeds: Feeds) => Fetched | Promise<Fetched>): Promise<boolean> {
    const taken = this.#take(table);
    const addends = this.#plan.addends.map((name) => table[this.#places.get(name)!]);
    if (taken === undefined || !addends.every((addend) => addend !== undefined)) return false;
    const { batch, rows, past } = taken;
    const { keyValueHeads, group, lanes } = this.#plan;
    const heads = keyValueHeads * group;
    const blocks = this.#masks.of(addends, { batch, heads, rows, past });
    if (blocks === undefined) return false;

    const width = heads * lanes;
    const context = new Float32Array(batch * rows * width);
    for (const block of blocks) {
      const fetched = await compute(this.#feeds(taken, block));
      const { data } = fetched.context!;
      context.set(data as Float32Array, (block.sequence * rows + block.first) * width);
    }
    const dims = [batch, keyValueHeads, rows, lanes];
    const put = (name: string, value: Tensor): void => {
      table[this.#places.get(name)!] = value;
    };
    put(this.#plan.context, tensor("float32", context, [batch, rows, width]));
    put(this.#plan.presentKeys, tensor("float32", headsFirst(taken.keys, dims), dims));
    put(this.#plan.presentValues, tensor("float32", headsFirst(taken.values, dims), dims));
    return true;
  }

  #feeds(taken: Rows, { sequence, first, rows, columns, mask }: Block): Feeds {
    const { keyValueHeads, group, lanes } = this.#plan;
    const width = keyValueHeads * lanes;
    const start = sequence * taken.rows;
    const rowsOf = (laid: Float32Array, from: number, count: number, width: number): Tensor =>
      tensor("float32", laid.subarray(from * width, (from + count) * width), [1, count, width]);
    const pastOf = (cache: Float32Array): Tensor => {
      const size = width * taken.past;
      const part = cache.subarray(sequence * size, (sequence + 1) * size);
      return tensor("float32", part, [1, keyValueHeads, taken.past, lanes]);
    };
    return {
      query: rowsOf(taken.query, start + first, rows, width * group),
      keys: rowsOf(taken.keys, start, columns, width),
      values: rowsOf(taken.values, start, columns, width),
      mask,
      "past keys": pastOf(taken.pastKeys),
      "past values": pastOf(taken.pastValues),
    };
  }

  /** Undefined where an input is not of the form expected. */
  #take(table: Table): Rows | undefined {
    const { query, key, value, rotary, ...plan } = this.#plan;
    const at = (name: string): Tensor | undefined => table[this.#places.get(name)!];
    const [pastKeys, pastValues] = [floats(at(plan.pastKeys)), floats(at(plan.pastValues))];
    const [batch, , past] = at(plan.pastKeys)?.dims ?? [];
    const projections = [query, key, value].map(({ value }) => floats(at(value)));
    const [queries, keys, values] = projections;
    if (batch === undefined || past === undefined || pastKeys === undefined || pastValues === undefined) {
      return undefined;
    }
    if (queries === undefined || keys === undefined || values === undefined) return undefined;
    const rows = queries.length / query.rowWidth / batch;
    if (rows === 1) return undefined;
    let angles: Angles | undefined;
    if (rotary !== undefined) {
      const [cos, sin] = [floats(at(rotary.cos)), floats(at(rotary.sin))];
      const length = (batch * rows * rotary.lanes) / 2;
      if (cos?.length !== length || sin?.length !== length) return undefined;
      angles = { cos, sin, lanes: rotary.lanes, interleaved: rotary.interleaved };
    }
    const lay = (data: Float32Array, place: HeadsInRow, group: number, turned?: Angles): Float32Array =>
      layRows(data, place, { ...plan, group }, turned);
    return {
      batch,
      rows,
      past,
      query: lay(queries, query, plan.group, angles),
      keys: lay(keys, key, 1, angles),
      values: lay(values, value, 1),
      pastKeys,
      pastValues,
    };
  }
}

function namesOf({ query, key, value, rotary, addends, ...plan }: AttentionOverCache): string[] {
  const { pastKeys, pastValues, presentKeys, presentValues, context } = plan;
  const read = [query.value, key.value, value.value, ...addends, pastKeys, pastValues];
  return [...read, ...(rotary ? [rotary.cos, rotary.sin] : []), presentKeys, presentValues, context];
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
