import { quantizationBlock, type StoredMatrix } from "../graph/graph.js";
import { allocate, room } from "./element-types.js";
import { type Interval, partOf, type Selection, totalLength } from "./runs.js";
import { tileElements, type Workspace } from "./workspace.js";

/** Whole blocks of some rows of a matrix. */
interface QuantizedShard {
  readonly matrix: StoredMatrix;
  readonly bits: 4 | 8;
  readonly rows: readonly Interval[];
  /** Blocks along a row, each with {@link quantizationBlock} columns. */
  readonly blocks: readonly Interval[];
}

/** Row-major, for the shard's rows and blocks. */
export interface QuantizedMatrix {
  /** `[rows, blocks, bytes]`. */
  readonly values: Uint8Array;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
}

/**
 * Quantizes a shard tile by tile, so that intermediate data stays in a core's cache.
 *
 * @param read reads selected elements of the stored matrix into the workspace, as float32
 * @param into receives each part, if it is large enough; default: new memory
 */
export function quantizeMatrix(
  { matrix, bits, rows, blocks }: QuantizedShard,
  workspace: Workspace,
  read: (selection: Selection, address: number) => void,
  into: { readonly [Part in keyof QuantizedMatrix]?: Uint8Array | undefined } = {},
): QuantizedMatrix {
  const { buffer, kernels, tile, turned } = workspace;
  const { transposed, dims } = matrix;
  const columns = dims[transposed ? 0 : 1];
  const counts = { rows: totalLength(rows), blocks: totalLength(blocks) };
  const blockBytes = (quantizationBlock * bits) / 8;
  const count = counts.rows * counts.blocks;
  const values = room(count * blockBytes, into.values).subarray(0, count * blockBytes);
  const scales = allocate("float32", count, room(count * 4, into.scales)) as Float32Array;
  const step = tileOf(counts, transposed);
  for (let row = 0; row < counts.rows; row += step.rows) {
    const tileRows = Math.min(step.rows, counts.rows - row);
    const rowIntervals = partOf(rows, row, row + tileRows);
    for (let block = 0; block < counts.blocks; block += step.blocks) {
      const tileBlocks = Math.min(step.blocks, counts.blocks - block);
      const columnIntervals = partOf(blocks, block, block + tileBlocks).map(
        ([start, end]): Interval => [start * quantizationBlock, Math.min(end * quantizationBlock, columns)],
      );
      const tileColumns = totalLength(columnIntervals);
      if (transposed) {
        read([columnIntervals, rowIntervals], tile.address);
        kernels.transpose(turned.address, tile.address, tileColumns, tileRows);
      } else read([rowIntervals, columnIntervals], tile.address);
      const quantize = bits === 4 ? kernels.quantize4 : kernels.quantize8;
      const source = transposed ? turned : tile;
      quantize(workspace.values.address, workspace.scales.address, source.address, tileRows, tileColumns);
      const at = row * counts.blocks + block;
      const shape = { rows: tileRows, width: tileBlocks, pitch: counts.blocks };
      const quantized = tileRows * tileBlocks;
      copyRows(new Float32Array(buffer, workspace.scales.address, quantized), scales, at, shape, 1);
      copyRows(
        new Uint8Array(buffer, workspace.values.address, quantized * blockBytes),
        values,
        at,
        shape,
        blockBytes,
      );
    }
  }
  return { values, scales };
}

/**
 * The rows and blocks of a tile: long runs of stored elements, at most as much as the workspace holds. So it is whole
 * rows, if they fit; for a transposed matrix, as many rows as fit with one block each.
 */
function tileOf(
  { rows, blocks }: { readonly rows: number; readonly blocks: number },
  transposed: boolean,
): { readonly rows: number; readonly blocks: number } {
  const most = tileElements / quantizationBlock;
  const first = Math.min(transposed ? rows : blocks, most);
  const second = Math.max(1, Math.floor(most / Math.max(1, first)));
  return transposed
    ? { rows: Math.max(1, first), blocks: second }
    : { rows: second, blocks: Math.max(1, first) };
}

/** Copies `rows` rows of `width` blocks into rows of `pitch` blocks, from block `at` on; `size` elements per block. */
function copyRows<Data extends Uint8Array | Float32Array>(
  from: Data,
  to: Data,
  at: number,
  { rows, width, pitch }: { readonly rows: number; readonly width: number; readonly pitch: number },
  size: number,
): void {
  if (width === pitch) {
    to.set(from, at * size);
    return;
  }
  for (let row = 0; row < rows; row++) {
    to.set(from.subarray(row * width * size, (row + 1) * width * size), (at + row * pitch) * size);
  }
}
