import { blockSize, blocksOf } from "./blocks.js";

/** Blocks of a row that share a scale where many rows are multiplied, of weights as of activations. */
export interface Group {
  readonly firstBlock: number;
  readonly blocks: number;
}

/**
 * Elements of a group at most. The fewer, the closer is a group's scale to its elements; but with 512 an operator for
 * whole numbers takes up to 1.8 times as long for a product as with 1024, and with 2048 hardly less.
 */
const mostElements = 1024;

/** Groups of a row of `width` elements, one after the other. All have as many blocks, but for the last. */
export function groupsOf(width: number): readonly Group[] {
  const blocks = blocksOf(width);
  const each = Math.ceil(blocks / Math.ceil((blocks * blockSize) / mostElements));
  return Array.from({ length: Math.ceil(blocks / each) }, (_, at) => ({
    firstBlock: at * each,
    blocks: Math.min(each, blocks - at * each),
  }));
}
