import { elementCount } from "@ringrank/model/weights";
import { type Tensor, tensor } from "../tensors/tensor.js";

/** Rows of a block: few enough for their scores to fit in a core's own cache, and enough for products to be fast. */
const blockRows = 64;

/**
 * A score to which this is added has no share next to any score from which less is subtracted: its exponential is 0 in
 * float32, whatever the scores are. (`leastSeen` in assembly/attention/addends-of-queries.ts is the same.)
 */
const masked = -1e30;

/** The lowest float and the next one have the same effect when they are added to scores. */
const lowest = -3.4028234663852886e38;
const aboveLowest = -3.4028232635611926e38;

/** Some new rows of one sequence, and what is added to their scores. */
export interface Block {
  readonly sequence: number;
  readonly first: number;
  readonly rows: number;
  /** How many of the sequence's new rows they see, counting from its first new row. */
  readonly columns: number;
  /** float32 `[1, 1 or heads, rows, past + columns]`. */
  readonly mask: Tensor;
}

/** Sizes over all new rows of a step. */
export interface Extent {
  readonly batch: number;
  readonly heads: number;
  readonly rows: number;
  readonly past: number;
}

/** Cuts masks into those of blocks. Layers that are given the same masks share the blocks, which are created once. */
export class BlockMasks {
  /** By first addend, which belongs to one step. */
  readonly #made = new WeakMap<Tensor, Made>();

  /**
   * @param addends the addends of the scores, each broadcast to `[batch, heads, rows, past + rows]`
   * @returns undefined if one is not float32, or has another shape
   */
  of(addends: readonly Tensor[], extent: Extent): readonly Block[] | undefined {
    const [first] = addends;
    if (first === undefined) return undefined;
    const made = this.#made.get(first);
    if (made !== undefined && isOf(made, addends, extent)) return made.blocks;
    const views = addends.map((addend) => viewOf(addend, extent));
    if (!views.every((view) => view !== undefined)) return undefined;
    const blocks = cut(views, extent);
    this.#made.set(first, { addends, extent, blocks });
    return blocks;
  }
}

interface Made {
  readonly addends: readonly Tensor[];
  readonly extent: Extent;
  readonly blocks: readonly Block[];
}

function isOf(
  { addends, extent }: Made,
  others: readonly Tensor[],
  { batch, heads, rows, past }: Extent,
): boolean {
  return (
    addends.length === others.length &&
    addends.every((addend, at) => addend === others[at]) &&
    extent.batch === batch &&
    extent.heads === heads &&
    extent.rows === rows &&
    extent.past === past
  );
}

/** An addend, with its stride on each axis; 0 where it is broadcast. */
interface View {
  readonly data: Float32Array;
  readonly strides: readonly [number, number, number, number];
}

function viewOf({ data, dims }: Tensor, { batch, heads, rows, past }: Extent): View | undefined {
  const sizes = [batch, heads, rows, past + rows];
  if (!(data instanceof Float32Array) || dims.length !== 4) return undefined;
  if (dims.some((size, axis) => size !== 1 && size !== sizes[axis])) return undefined;
  const stride = (axis: number): number => (dims[axis] === 1 ? 0 : elementCount(dims.slice(axis + 1)));
  return { data, strides: [stride(0), stride(1), stride(2), stride(3)] };
}

function cut(views: readonly View[], { batch, heads, rows, past }: Extent): Block[] {
  const blocks: Block[] = [];
  const planes = views.every(({ strides }) => strides[1] === 0) ? 1 : heads;
  for (let sequence = 0; sequence < batch; sequence++) {
    for (let first = 0; first < rows; first += blockRows) {
      const count = Math.min(blockRows, rows - first);
      const whole = new Float32Array(planes * count * (past + rows));
      for (let plane = 0; plane < planes; plane++) {
        for (let row = 0; row < count; row++) {
          const at = (plane * count + row) * (past + rows);
          const out = whole.subarray(at, at + past + rows);
          for (const view of views) addRow(out, view, sequence, plane, first + row);
        }
      }
      const seen = seenColumns(whole, past + rows);
      const columns = Math.max(1, seen - past);
      const mask = narrowed(whole, past + rows, past + columns);
      blocks.push({
        sequence,
        first,
        rows: count,
        columns,
        mask: tensor("float32", mask, [1, planes, count, past + columns]),
      });
    }
  }
  return blocks;
}

function addRow(
  out: Float32Array,
  { data, strides }: View,
  sequence: number,
  head: number,
  row: number,
): void {
  let at = sequence * strides[0] + head * strides[1] + row * strides[2];
  for (let column = 0; column < out.length; column++, at += strides[3]) {
    out[column] = out[column]! + data[at]!;
  }
}

/** How many columns any row sees; all columns if one row sees none, since that row then mixes all of them equally. */
function seenColumns(mask: Float32Array, width: number): number {
  let seen = 0;
  for (let start = 0; start < mask.length; start += width) {
    let last = width - 1;
    while (last >= 0 && mask[start + last]! <= masked) last--;
    if (last < 0) mixAlike(mask.subarray(start, start + width));
    seen = Math.max(seen, last < 0 ? width : last + 1);
  }
  return seen;
}

/**
 * Mixes all columns equally, as a softmax does. If a row's mask is the lowest float throughout, ONNX Runtime's
 * Attention would return zeros.
 */
function mixAlike(row: Float32Array): void {
  for (let i = 0; i < row.length; i++) if (row[i] === lowest) row[i] = aboveLowest;
}

/** The first `width` columns of each row, in no more memory than they need. */
function narrowed(mask: Float32Array, whole: number, width: number): Float32Array {
  if (width === whole) return mask;
  const rows = mask.length / whole;
  for (let row = 1; row < rows; row++) mask.copyWithin(row * width, row * whole, row * whole + width);
  return mask.slice(0, rows * width);
}
