import { blockSize, blocksOf } from "../blocks.js";

/** Blocks of a row that share a scale when many rows are multiplied, for weights and for activations. */
export interface Group {
  readonly firstBlock: number;
  readonly blocks: number;
}

/**
 * The most elements of a group. A smaller group has a scale that fits its elements more closely. But with 512 elements,
 * an integer operator takes up to 1.8 times as long for a product as with 1024; 2048 would hardly be faster.
 */
const mostElements = 1024;

/** The consecutive groups of a row of `width` elements. All except the last have the same number of blocks. */
export function groupsOf(width: number): readonly Group[] {
  const blocks = blocksOf(width);
  const each = Math.ceil(blocks / Math.ceil((blocks * blockSize) / mostElements));
  return Array.from({ length: Math.ceil(blocks / each) }, (_, at) => ({
    firstBlock: at * each,
    blocks: Math.min(each, blocks - at * each),
  }));
}
