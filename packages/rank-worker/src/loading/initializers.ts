import type { Segment } from "@ringrank/policy";

/** By location: names of the weights whose elements lie there, one after the other. */
export type Initializers = Segment["initializers"];

interface Turn<Item> {
  /** Index of the list. */
  readonly at: number;
  readonly item: Item;
  readonly isFirst: boolean;
}

/**
 * The best order for reading weights, or pieces of them: the first of every list, then the second of every list, and so
 * on. A quantized matrix is two weights, which are computed in one pass if they are read one after the other. If
 * several matrices are joined, their values are one initializer and their scales the next.
 */
export function* inTurns<Item>(lists: readonly (readonly Item[])[]): Generator<Turn<Item>> {
  const most = lists.reduce((longest, { length }) => Math.max(longest, length), 0);
  for (let turn = 0; turn < most; turn++) {
    for (const [at, items] of lists.entries()) {
      if (turn < items.length) yield { at, item: items[turn]!, isFirst: turn === 0 };
    }
  }
}
