import type { AttentionOverCache, HeadsInRow } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { Workspace } from "../kernels/workspace.js";
import type { Feeds } from "../sessions/ort-binding.js";
import type { Table } from "../tensors/table.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import type { Block, BlockMasks } from "./block-masks.js";
import { type Angles, copyHeads, type HeadPlaces, rotateHeads } from "./heads.js";
import { type Indices, indicesOf } from "./indices.js";

/** The inputs of a layer. */
interface Inputs {
  readonly batch: number;
  /** Number of new rows of each sequence. */
  readonly rows: number;
  readonly past: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly angles: Angles | undefined;
  readonly pastKeys: Float32Array;
  readonly pastValues: Float32Array;
}

/** Row by row, as the block's session reads them: `[batch, rows, heads · lanes]`, rotated. */
interface Laid {
  readonly query: Float32Array;
  /** The past rows of a sequence, then its new ones; the same for values. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Runs the block's session, which writes to `into`. */
export type ComputeBlock = (feeds: Feeds, into: Feeds) => unknown;

/**
 * One layer's attention of several new rows, block by block, in a session that all layers with the same heads share
 * (program/segments/attention-block.ts of the policy). Compared with a session that has the operators for all rows, it
 * skips the scores that a mask hides, and keeps the others in the core's own cache.
 */
export class BlockAttention {
  readonly #plan: AttentionOverCache;
  readonly #masks: BlockMasks;
  readonly #indices: Indices;
  readonly #kernels: RankKernels | undefined;

  /**
   * @param indexOf returns the index of a value in the table
   * @param kernels without them, plain code lays rows out, in ordinary memory
   */
  constructor(
    plan: AttentionOverCache,
    masks: BlockMasks,
    indexOf: (value: string) => number,
    kernels: RankKernels | undefined,
  ) {
    this.#plan = plan;
    this.#masks = masks;
    this.#indices = indicesOf(plan, indexOf);
    this.#kernels = kernels;
  }

  /**
   * Puts context and new rows into the table, as {@link TransientTensor}s if there is room.
   *
   * @returns false, without any effect, if the segment must be used: for one new row, or inputs of another form
   */
  run(table: Table, compute: ComputeBlock): false | Promise<true> {
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
    compute: ComputeBlock,
  ): Promise<true> {
    const { batch, rows } = inputs;
    const { keyValueHeads, group, lanes } = this.#plan;
    const memory = this.#kernels?.memory;
    const workspace = new Workspace(memory);
    try {
      const laid = this.#lay(inputs, workspace);
      const width = keyValueHeads * group * lanes;
      const context = TransientTensor.takeOrMake(memory, [batch, rows, width]);
      for (const block of blocks) {
        const start = (block.sequence * rows + block.first) * width;
        const part = (context.data as Float32Array).subarray(start, start + block.rows * width);
        const into = { context: tensor("float32", part, [1, block.rows, width]) };
        await compute(this.#feeds(inputs, laid, block), into);
      }
      table[this.#indices.context] = context;
      table[this.#indices.presentKeys] = this.#newRows(laid.keys, inputs);
      table[this.#indices.presentValues] = this.#newRows(laid.values, inputs);
    } finally {
      workspace.release();
    }
    return true;
  }

  #feeds(inputs: Inputs, laid: Laid, { sequence, first, rows, columns, mask }: Block): Feeds {
    const { keyValueHeads, group, lanes } = this.#plan;
    const width = keyValueHeads * lanes;
    const { past } = inputs;
    const rowsOf = (all: Float32Array, from: number, count: number, width: number): Tensor =>
      tensor("float32", all.subarray(from * width, (from + count) * width), [1, count, width]);
    const start = sequence * (past + inputs.rows);
    return {
      query: rowsOf(laid.query, sequence * inputs.rows + first, rows, width * group),
      keys: rowsOf(laid.keys, start, past + columns, width),
      values: rowsOf(laid.values, start, past + columns, width),
      mask,
    };
  }

  #lay(inputs: Inputs, workspace: Workspace): Laid {
    const { query, key, value, pastKeys, pastValues } = inputs;
    const angles = inputs.angles && {
      ...inputs.angles,
      cos: workspace.near(inputs.angles.cos),
      sin: workspace.near(inputs.angles.sin),
    };
    const near = new Map([query, key, value].map((data) => [data, workspace.near(data)]));
    return {
      query: this.#layQuery(near.get(query)!, angles, workspace),
      keys: this.#layRows(near.get(key)!, this.#plan.key, pastKeys, inputs, workspace, angles),
      values: this.#layRows(near.get(value)!, this.#plan.value, pastValues, inputs, workspace),
    };
  }

  /** The projection itself if it already has that layout. */
  #layQuery(query: Float32Array, angles: Angles | undefined, workspace: Workspace): Float32Array {
    const { keyValueHeads, group, lanes, query: places } = this.#plan;
    const together = group * lanes;
    const width = keyValueHeads * together;
    const isLaid = places.rowWidth === width && places.headStride === together;
    if (isLaid && angles === undefined) return query;
    const rows = query.length / places.rowWidth;
    const laid = workspace.floats(rows * width);
    const to = { data: laid, offset: 0, row: width, head: together };
    copyHeads(this.#kernels, placesOf(query, places), to, { rows, heads: keyValueHeads, length: together });
    if (angles !== undefined) rotateHeads(this.#kernels, laid, width, lanes, angles);
    return laid;
  }

  /** Lays out keys or values: the cached rows of each sequence, then its new rows. */
  #layRows(
    projection: Float32Array,
    places: HeadsInRow,
    cache: Float32Array,
    { batch, rows, past }: Inputs,
    workspace: Workspace,
    angles?: Angles,
  ): Float32Array {
    const { keyValueHeads: heads, lanes } = this.#plan;
    const width = heads * lanes;
    const kernels = this.#kernels;
    const laid = workspace.floats(batch * (past + rows) * width);
    for (let sequence = 0; sequence < batch; sequence++) {
      const start = sequence * (past + rows) * width;
      const ofCache = {
        data: cache,
        offset: sequence * heads * past * lanes,
        row: lanes,
        head: past * lanes,
      };
      const ofPast = { data: laid, offset: start, row: width, head: lanes };
      copyHeads(kernels, ofCache, ofPast, { rows: past, heads, length: lanes });
      const from = placesOf(projection, places, sequence * rows);
      const added = laid.subarray(start + past * width, start + (past + rows) * width);
      copyHeads(
        kernels,
        from,
        { data: added, offset: 0, row: width, head: lanes },
        { rows, heads, length: lanes },
      );
      if (angles !== undefined) {
        rotateHeads(kernels, added, width, lanes, ofSequence(angles, sequence, rows));
      }
    }
    return laid;
  }

  /** The new rows among those laid out, `[batch, heads, rows, lanes]`. */
  #newRows(laid: Float32Array, { batch, rows, past }: Inputs): Tensor {
    const { keyValueHeads: heads, lanes } = this.#plan;
    const width = heads * lanes;
    const byHead = TransientTensor.takeOrMake(this.#kernels?.memory, [batch, heads, rows, lanes]);
    for (let sequence = 0; sequence < batch; sequence++) {
      const offset = (sequence * (past + rows) + past) * width;
      const from = { data: laid, offset, row: width, head: lanes };
      const to = {
        data: byHead.data as Float32Array,
        offset: sequence * rows * width,
        row: lanes,
        head: rows * lanes,
      };
      copyHeads(this.#kernels, from, to, { rows, heads, length: lanes });
    }
    return byHead;
  }

  /** Returns undefined if there is only one new row, or an input does not have the expected form. */
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
    const { key: keys, value: values, keyValueHeads, lanes } = this.#plan;
    const cached = batch * keyValueHeads * past * lanes;
    if (key.length !== batch * rows * keys.rowWidth || value.length !== batch * rows * values.rowWidth)
      return undefined;
    if (pastKeys.length !== cached || pastValues.length !== cached) return undefined;
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

/** Elements from this row on. */
function placesOf(data: Float32Array, { rowWidth, offset, headStride }: HeadsInRow, row = 0): HeadPlaces {
  return { data, offset: row * rowWidth + offset, row: rowWidth, head: headStride };
}

function ofSequence(angles: Angles, sequence: number, rows: number): Angles {
  const [from, to] = [sequence, sequence + 1].map((one) => (one * rows * angles.lanes) / 2);
  return { ...angles, cos: angles.cos.subarray(from, to), sin: angles.sin.subarray(from, to) };
}
