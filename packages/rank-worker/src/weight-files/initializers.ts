import type { Segment } from "@ringrank/policy";

/** By location: names of the weights whose elements lie there, one after the other. */
export type Initializers = Segment["initializers"];

interface Turn {
  /** Index of the initializer. */
  readonly at: number;
  readonly name: string;
  /** Whether nothing lies there yet. */
  readonly isFirst: boolean;
}

/**
 * The weights in the order they are best read in: the first of every initializer, then the second of every one, and so
 * on. A quantized matrix is two weights that are made in one pass if they are read one after the other; where several
 * matrices are joined, their values are one initializer and their scales the next.
 */
export function* inTurns(initializers: Initializers): Generator<Turn> {
  const most = initializers.reduce((longest, { length }) => Math.max(longest, length), 0);
  for (let turn = 0; turn < most; turn++) {
    for (const [at, names] of initializers.entries()) {
      if (turn < names.length) yield { at, name: names[turn]!, isFirst: turn === 0 };
    }
  }
}
